// The second line of a row where there is no room for all columns: what they would have said, in words.
import type { ComponentChildren, JSX } from 'preact';
import type { Row } from '../../board/store';
import { fixed, funding, percent, volatility } from '../../format/number';
import type { Room } from '../../state/screen';
import { Label } from '../../ui/Label';

export function MoreCell({ row, room }: { row: Row; room: Room }): JSX.Element {
  return (
    <td class="c-more" role="cell">
      {room === 'phone' && (
        <>
          <Part>
            <Label axis="trend" label={row.word('trend')} />
          </Part>
          <Part>
            <Label axis="volatility" label={row.word('volatility')} /> <Number row={row} column="vol_24h" print={volatility} />
          </Part>
        </>
      )}
      <Part name="heat">
        <Label axis="heat" label={row.word('heat')} />
      </Part>
      <Part name="margin">
        <Number row={row} column="margin" print={(x) => fixed(x, 1)} />
      </Part>
      <Part name={room === 'phone' ? 'fund.' : 'funding 8 h'}>
        <Number row={row} column="funding_8h" print={funding} />
      </Part>
      <Part name={room === 'phone' ? 'OI' : 'OI 4 h'}>
        <Number row={row} column="oi_4h" print={(x) => percent(x, 1, true)} />
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

function Number({ row, column, print }: { row: Row; column: string; print: (x: number | null) => string }): JSX.Element {
  const value = row.number(column);
  return (
    <span class="num" title={value === null ? (row.reason(column) ?? 'no reading') : undefined}>
      {print(value)}
    </span>
  );
}
