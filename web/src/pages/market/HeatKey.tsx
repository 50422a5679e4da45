// The key of the heat map, where it is seen: which colour is how many USD, over which time, and what the numbers leave out.
import type { JSX } from 'preact';
import type { LevelView } from '../../api/types';
import type { HeatScale } from '../../chart/heatmap';
import { compact, percent } from '../../format/number';

/** Venues that publish at most one liquidation of a market in a second (surveillance §11). */
const THINNED = /^(binance|okx)/;

interface Props {
  market: string;
  scale: HeatScale | null;
  /** `null`: zones are not drawn, or still awaited. */
  zones: readonly LevelView[] | null;
}

function reported({ peak, step, recorded }: HeatScale): string {
  if (!recorded) return 'Liquidations were not recorded in these bars.';
  if (peak === 0) return 'No liquidations were reported in these bars.';
  return `Reported liquidations, up to ${compact(peak)} USD a side in a cell of ${percent(step, 1)} of price.`;
}

export function HeatKey({ market, scale, zones }: Props): JSX.Element | null {
  if (scale === null && zones === null) return null;
  const drawn = (scale?.peak ?? 0) > 0 || (zones?.length ?? 0) > 0;
  return (
    <p class="heat-key small muted" data-testid="heat-key">
      {drawn && (
        <>
          <span class="nobreak">
            <i class="heat-swatch longs" /> longs
          </span>{' '}
          <span class="nobreak">
            <i class="heat-swatch shorts" /> shorts
          </span>{' '}
        </>
      )}
      {scale !== null && (
        <span>
          {reported(scale)}
          {scale.recorded && THINNED.test(market) ? ' Sums are incomplete: the venue publishes at most one a second.' : ''}
        </span>
      )}{' '}
      {zones !== null && zones.length > 0 && <span>Dashed: zones, a model of where they clustered (7 days, half-life 24 h), not orders.</span>}
    </p>
  );
}
