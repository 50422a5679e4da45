// Cells that are pictures: bars, places in a range, timeframes side by side, volatility over three horizons.
import type { JSX } from 'preact';
import { toneOf } from '../../board/axes';
import { TIMEFRAMES, timeframesOf } from '../../board/decode';
import { layout } from '../../board/store';
import type { Row } from '../../board/store';
import type { Axis } from '../../contract';
import { briefly, enumOf } from '../../format/labels';
import { NONE, fixed, percent, volatility } from '../../format/number';
import { Bar } from '../../ui/Bar';
import { CentreBar } from '../../ui/CentreBar';
import { Sign } from '../../ui/Sign';
import { mostVolatile } from './scale';

export function FramesCell({ row, axis }: { row: Row; axis: 'trend' | 'volatility' }): JSX.Element {
  return (
    <td class={`c-tf_${axis === 'trend' ? 'trend' : 'vol'}`}>
      <Frames row={row} axis={axis} />
    </td>
  );
}

/** The labels of the four timeframes, and how many of those that are known agree. */
export function Frames({ row, axis }: { row: Row; axis: Axis }): JSX.Element {
  const words = timeframesOf(layout.value, axis, row.cell(axis === 'trend' ? 'tf_trend' : 'tf_vol')?.value ?? null);
  const known = words.filter((w): w is string => w !== null);
  const most = Math.max(0, ...known.map((w) => known.filter((x) => x === w).length));
  return (
    <span class="frames">
      {words.map((word, at) => (
        <span key={TIMEFRAMES[at]} class="frame" title={word === null ? `${TIMEFRAMES[at]}: not known yet` : `${TIMEFRAMES[at]}: ${briefly(axis, word)} (${enumOf(axis, word)})`}>
          <span class="muted">{TIMEFRAMES[at]}</span>
          <Sign axis={axis} label={word} />
          <span class="unseen">{word === null ? 'not known' : briefly(axis, word)}</span>
        </span>
      ))}
      <span class="muted num">{known.length === 0 ? '' : `${most} of ${known.length} agree`}</span>
    </span>
  );
}

export function BarCell({ row, column }: { row: Row; column: 'confidence' }): JSX.Element {
  return (
    <td class={`c-${column}`}>
      <Bar value={row.number(column)} name={column} />
    </td>
  );
}

export function LeanCell({ row }: { row: Row }): JSX.Element {
  return (
    <td class="c-long_bias">
      <CentreBar value={row.number('long_bias')} name="crowding, longs on the right" />
    </td>
  );
}

/** The 24 h volatility as a bar beside the greatest of all markets, in the colour of its class. */
export function VolatilityBarCell({ row }: { row: Row }): JSX.Element {
  const value = row.number('vol_24h');
  const share = value === null ? 0 : Math.min(1, value / mostVolatile.value);
  return (
    <td class="c-vol_24h">
      <span class="vol-bar">
        {value !== null && <span class={`fill tone-${toneOf('volatility', row.word('volatility'))}`} style={{ width: `calc((100% - var(--number-room)) * ${share.toFixed(4)})` }} />}
        <span class={value === null ? 'none' : 'num'} title={value === null ? undefined : '24 h volatility, annualised'}>
          {value === null ? reasonOf(row, 'vol_24h') : volatility(value)}
        </span>
      </span>
    </td>
  );
}

function reasonOf(row: Row, column: 'vol_24h' | 'vol_pct_90d'): string {
  const reason = row.reason(column);
  return reason === null ? 'no reading' : reason.replaceAll('_', ' ');
}

/** Where the volatility stands among its own last 90 days: a mark on a line, and the share of days below it. */
export function RankCell({ row }: { row: Row }): JSX.Element {
  const rank = row.number('vol_pct_90d');
  return (
    <td class="c-vol_pct_90d">
      {rank === null ? (
        <span class="none" title={reasonOf(row, 'vol_pct_90d')}>
          {NONE}
        </span>
      ) : (
        <span class="rank" title={`larger than in ${percent(rank, 0)} of the last 90 days`}>
          <span class="rank-track" aria-hidden="true">
            <span class={`rank-mark tone-${toneOf('volatility', row.word('volatility'))}`} style={{ left: `${(rank * 100).toFixed(1)}%` }} />
          </span>
          <span class="num">{percent(rank, 0)}</span>
        </span>
      )}
    </td>
  );
}

const WIDTH = 72;
const HEIGHT = 24;
const HORIZONS = [
  ['24 h', 'vol_24h'],
  ['4 h', 'vol_4h'],
  ['1 h', 'vol'],
] as const;

/** Volatility over 24 h, 4 h and 1 h as a line: rising, moves grow; falling, they calm down. A horizon without a reading breaks it. */
export function TermCell({ row }: { row: Row }): JSX.Element {
  const values = HORIZONS.map(([, column]) => row.number(column));
  const known = values.filter((v): v is number => v !== null);
  if (known.length < 2) {
    return (
      <td class="c-term">
        <span class="none" title="fewer than two horizons have a reading">
          {NONE}
        </span>
      </td>
    );
  }
  const top = Math.max(...known, 1e-9);
  const points = values.map((value, at) => (value === null ? null : ([6 + (at * (WIDTH - 12)) / 2, HEIGHT - 4 - (value / top) * (HEIGHT - 8)] as const)));
  const [day, , hour] = values;
  const ratio = day !== null && day !== undefined && day > 0 && hour !== null && hour !== undefined ? hour / day : null;
  const grows = ratio !== null && ratio > 1;
  return (
    <td class="c-term">
      <span class="term" title={HORIZONS.map(([name], at) => `${name} vol ${volatility(values[at])}`).join(', ')}>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={HORIZONS.map(([name], at) => `${name} ${volatility(values[at])}`).join(', ')} class={grows ? 'grows' : ''}>
          <path d={points.reduce((path, point, at) => (point === null ? path : `${path}${at > 0 && points[at - 1] !== null ? 'L' : 'M'}${point[0].toFixed(1)} ${point[1].toFixed(1)}`), '')} />
          {points.map((point, at) => point !== null && <circle key={at} cx={point[0]} cy={point[1]} r="2" />)}
        </svg>
        <span class="num muted">{ratio === null ? '' : `×${fixed(ratio, 1)}`}</span>
      </span>
    </td>
  );
}
