// Positions: a card for each registered position, its context, and what was noticed about it. Registering watches; it trades
// nothing.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import { mayOperate } from '../../api/session';
import type { Positions } from '../../api/types';
import { alertEdition, noticeEdition } from '../../board/live';
import { asOf } from '../../state/place';
import { price } from '../../format/number';
import { Answer, Empty, Refused } from '../../ui/Answer';
import { MayNot } from '../../ui/Operate';
import { Card } from './Card';
import { put } from './changes';
import type { Change } from './changes';
import { Register } from './Register';

export function PositionsPage(): JSX.Element {
  const positions = useResource<Positions>(withQuery('/api/v1/positions', { as_of: asOf.value }), { on: `${alertEdition.value} ${noticeEdition.value}` });
  const [change, setChange] = useState<Change | null>(null);
  return (
    <>
      <h1>Positions</h1>
      {change !== null && (
        <Undo
          change={change}
          done={() => {
            setChange(null);
            positions.reload();
          }}
          away={() => setChange(null)}
        />
      )}
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
                <Card
                  key={card.position.id}
                  card={card}
                  changed={(next) => {
                    setChange(next);
                    positions.reload();
                  }}
                />
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

/** The last change, until it is taken back, put away, or followed by another. */
function Undo({ change: { what, before }, done, away }: { change: Change; done: () => void; away: () => void }): JSX.Element {
  const action = useAction();
  const undo = async (): Promise<void> => {
    if (await action.run(() => put(before, true))) done();
  };
  return (
    <div class="note undo" role="status" data-testid="undo">
      <p class="num">
        {before.instrument} {before.side.toLowerCase()} from {price(before.entry)} {what === 'removed' ? 'is no longer watched.' : 'was changed.'}{' '}
        <button type="button" class="plain" disabled={action.busy} onClick={() => void undo()}>
          Undo
        </button>{' '}
        <button type="button" class="plain" onClick={away}>
          Dismiss
        </button>
      </p>
      <Refused error={action.error} />
    </div>
  );
}
