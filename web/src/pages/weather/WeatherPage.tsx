// Weather: all markets, what changed, and nothing that has to be opened to see whether something is wrong.
import type { JSX } from 'preact';
import { Board } from './Board';
import { BOARD_VIEWS } from './views';

export function WeatherPage(): JSX.Element {
  return <Board view={BOARD_VIEWS.weather} />;
}
