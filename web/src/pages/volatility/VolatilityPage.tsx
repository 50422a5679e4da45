// Volatility (R4.48) as a view of the board: every market's volatility over three horizons, where it stands among its own last 90 days,
// and the caution that goes with it. Above the table all markets in one picture.
import type { JSX } from 'preact';
import { WORDS } from '../../board/axes';
import { Label } from '../../ui/Label';
import { Board } from '../weather/Board';
import { BOARD_VIEWS } from '../weather/views';
import { Spread } from './Spread';
import { useVolatilityLimits } from './useLimits';

export function VolatilityPage(): JSX.Element {
  return (
    <Board view={BOARD_VIEWS.volatility}>
      <Spread legend={<Legend />} />
    </Board>
  );
}

function Legend(): JSX.Element {
  const limits = useVolatilityLimits();
  return (
    <ul class="legend" data-testid="volatility-limits">
      {WORDS.volatility
        .filter((label) => label !== 'UNKNOWN')
        .map((label) => (
          <li key={label}>
            <Label axis="volatility" label={label} /> {limits.get(label) ?? ''}
          </li>
        ))}
    </ul>
  );
}
