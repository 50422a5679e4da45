// The second line of a row where there is no room for all columns: what they would have said, in words.
import type { ComponentChildren, JSX } from 'preact';
import type { Row } from '../../board/store';
import type { Room } from '../../state/screen';
import { Label } from '../../ui/Label';
import { NumberText } from './Cells';

export function MoreCell({ row, room }: { row: Row; room: Room }): JSX.Element {
  return (
    <td class="c-more" role="cell">
      {room === 'phone' && (
        <>
          <Part>
            <Label axis="trend" label={row.word('trend')} />
          </Part>
          <Part>
            <Label axis="volatility" label={row.word('volatility')} /> <NumberText row={row} column="vol_24h" />
          </Part>
        </>
      )}
      <Part name="heat">
        <Label axis="heat" label={row.word('heat')} />
      </Part>
      <Part name="margin">
        <NumberText row={row} column="margin" />
      </Part>
      <Part name={room === 'phone' ? 'fund.' : 'funding 8 h'}>
        <NumberText row={row} column="funding_8h" />
      </Part>
      <Part name={room === 'phone' ? 'OI' : 'OI 4 h'}>
        <NumberText row={row} column="oi_4h" />
      </Part>
    </td>
  );
}

function Part({ name, children }: { name?: string; children: ComponentChildren }): JSX.Element {
  return (
    <span class="part">
      {name !== undefined && <i>{name}</i>} {children}
    </span>
  );
}
