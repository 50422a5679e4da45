// What a line of the chart is: name, price, how strong, how old, whose stops; shown beside the pointer.
import type { JSX } from 'preact';
import type { LevelView } from '../../api/types';
import { isZone } from '../../chart/levels';
import type { Bars } from '../../chart/bars';
import type { Hit } from '../../chart/view';
import { levelSide, levelTitle } from '../../format/level';
import { compact, percent, price as priceText } from '../../format/number';
import { momentShown } from '../../state/moment';
import { span } from '../../format/time';
import { Since, Time } from '../../ui/Time';

const SHOWN = 4;

/** The last close that was known: bars after the moment shown are loaded, and not read. */
function closeAt({ rows, interval }: Bars, ms: number | null): number | null {
  return rows.findLast((row) => row.close !== null && (ms === null || (row.t + interval) * 1_000 <= ms))?.close ?? null;
}

export function Hovered({ hit, bars }: { hit: Hit; bars: Bars | null }): JSX.Element {
  const price = bars === null ? null : closeAt(bars, momentShown.value);
  const more = hit.levels.length - SHOWN;
  return (
    <div class="hovered" role="presentation" style={{ left: `${hit.x}px`, top: `${hit.y}px` }} data-flip={hit.x > 260 ? 'left' : 'right'} data-testid="hovered">
      {hit.cell !== null && (
        <p class="num">
          <b>reported liquidations</b> {priceText(hit.cell.bottom)} to {priceText(hit.cell.top)}
          <br />
          {hit.cell.long > 0 && <span>▼ longs {compact(hit.cell.long)} USD </span>}
          {hit.cell.short > 0 && <span>▲ shorts {compact(hit.cell.short)} USD </span>}
          <br />
          <span class="muted">
            {span((hit.cell.until - hit.cell.from) * 1_000)} from <Time at={hit.cell.from} />, <Since at={hit.cell.from} ago />
          </span>
        </p>
      )}
      {hit.levels.slice(0, SHOWN).map((level) => (
        <p key={level.level_id} class="num">
          <b>{levelTitle(level)}</b> {isZone(level) ? `${priceText(level.bottom)} to ${priceText(level.top)}` : priceText(level.price)}
          {price !== null && <span class="muted"> {percent(level.price / price - 1, 2, true)}</span>}
          <br />
          <span class="muted">
            strength {strength(level)}
            {isZone(level) && (level.volume ?? 0) > 0 ? ` · ${compact(level.volume)} liquidated` : ''} · known for <Since at={level.known_at} to={level.mitigated_at} />
            {isZone(level) && level.mitigated_at !== null && (
              <>
                , used up <Time at={level.mitigated_at} />
              </>
            )}
            {level.touches > 0 ? ` · touched ${level.touches}×` : ''}
            {levelSide(level.side) === '' ? '' : isZone(level) ? ` · ${level.side === 'LONG' ? 'longs' : 'shorts'}` : ` · ${levelSide(level.side)}`}
            {level.kind === 'measured' ? '' : ` · ${level.kind}`}
          </span>
        </p>
      ))}
      {more > 0 && <p class="muted">and {more} more</p>}
    </div>
  );
}

function strength(level: LevelView): string {
  return percent(level.strength, level.strength < 0.1 ? 1 : 0);
}
