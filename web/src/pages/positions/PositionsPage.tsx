// Positions: a card for each registered position, its context, and what was noticed about it. Registering watches; it trades
// nothing.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import { mayOperate } from '../../api/session';
import type { Positions } from '../../api/types';
import { alertEdition, noticeEdition } from '../../board/live';
import { asOf } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { MayNot } from '../../ui/Operate';
import { Card } from './Card';
import { Register } from './Register';

export function PositionsPage(): JSX.Element {
  const positions = useResource<Positions>(withQuery('/api/v1/positions', { as_of: asOf.value }), { on: `${alertEdition.value} ${noticeEdition.value}` });
  return (
    <>
      <h1>Positions</h1>
      <Answer of={positions} lines={4}>
        {(data) =>
          data.items.length === 0 ? (
            <Empty
              why="No position is registered."
              todo="Register one below, with barograph positions add, or in a file: its market is watched, and a notice comes when its weather turns. Nothing is ever traded."
            />
          ) : (
            <div class="cards">
              {data.items.map((card) => (
                <Card key={card.position.id} card={card} removed={positions.reload} />
              ))}
            </div>
          )
        }
      </Answer>
      {asOf.value === null && mayOperate.value && <Register done={positions.reload} />}
      {asOf.value === null && <MayNot what="register positions" />}
    </>
  );
}
