// Regimes (R4.49) as a view of the board: agreement of the timeframes, confidence as a bar, the crowd's side, and how much caution.
import type { JSX } from 'preact';
import { Board } from '../weather/Board';
import { BOARD_VIEWS } from '../weather/views';

export function RegimesPage(): JSX.Element {
  return <Board view={BOARD_VIEWS.regimes} />;
}
