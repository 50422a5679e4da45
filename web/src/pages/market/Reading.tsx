// The reading line of the chart: the bar under the pointer, or the newest, in words and numbers.
import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import type { Bars } from '../../chart/bars';
import { marksAt } from '../../chart/marks';
import { ageAt, knownWords } from '../../chart/signals';
import type { SignalLine } from '../../chart/signals';
import { compact, funding, percent, price, volatility } from '../../format/number';
import { span } from '../../format/time';
import { serverNow } from '../../state/clock';
import { momentShown } from '../../state/moment';
import { Label } from '../../ui/Label';
import { Time } from '../../ui/Time';
import { missingWords } from './missing';

interface Props {
  bars: Bars;
  signals: readonly SignalLine[];
  base: string;
  pointed: number | null;
}

export function Reading({ bars, signals, base, pointed }: Props): JSX.Element {
  // Bars that lie after the moment shown are loaded, and not read. It moves with every frame while time plays; bars are what counts.
  const until = useComputed(() => (momentShown.value === null ? null : Math.floor(momentShown.value / 1_000 / bars.interval) * bars.interval)).value;
  const over = until === null ? bars.rows : bars.rows.filter((r) => r.t < until || (r.t === until && r.labels.risk === null));
  // The bar in progress has no labels yet: without a pointer the newest that was judged is read.
  const newest = over.findLast((r) => r.labels.risk !== null && (until === null || r.t < until)) ?? over[over.length - 1];
  if (pointed !== null && until !== null && pointed >= until) {
    return (
      <p id="reading" class="reading muted">
        <Time at={pointed} /> later than the moment shown
      </p>
    );
  }
  const row = pointed === null ? newest : over.find((r) => r.t === pointed);
  if (row === undefined) return <p id="reading" class="reading muted">no bar</p>;
  // What the reader steps to is spoken; what comes by itself is not.
  const live = pointed === null ? 'off' : 'polite';
  if (row.close === null) {
    const gap = bars.gaps.find((g) => Date.parse(g.from) / 1000 <= row.t && (g.until === null || Date.parse(g.until) / 1000 > row.t));
    return (
      <p id="reading" class="reading muted" aria-live={live}>
        <Time at={row.t} /> gap: {missingWords(gap?.reason ?? 'no_data')}
      </p>
    );
  }
  const change = row.open === null || row.open === 0 ? null : row.close / row.open - 1;
  const marks = marksAt(bars.marks, row.t, bars.interval);
  return (
    <p id="reading" class="reading num" aria-live={live}>
      <Time at={row.t} />
      <span>
        <i>O</i> {price(row.open)} <i>H</i> {price(row.high)} <i>L</i> {price(row.low)} <i>C</i> {price(row.close)}{' '}
        <span class={change !== null && change < 0 ? 'change down' : 'change up'}>{percent(change, 2, true)}</span>
      </span>
      <Label axis="risk" label={row.labels.risk} />
      <Label axis="trend" label={row.labels.trend} />
      <Label axis="volatility" label={row.labels.volatility} />
      <Label axis="heat" label={row.labels.heat} />
      <span>
        <i>funding</i> {funding(row.funding)} <i>OI</i> {compact(row.oi)} {base} <i>1 h vol</i> {volatility(row.vol)}
      </span>
      {signals.map((line) => (
        <SignalRead key={line.title} line={line} t={row.t} interval={bars.interval} />
      ))}
      {marks.length > 0 && <span class="tone-red">{marks.slice(0, 2).map((m) => `${m.severity} ${m.title}`).join(' · ')}{marks.length > 2 ? ` and ${marks.length - 2} more` : ''}</span>}
    </p>
  );
}

/** A signal at a bar, with its unit and how old it was at the close. */
function SignalRead({ line, t, interval }: { line: SignalLine; t: number; interval: number }): JSX.Element {
  const found = line.at.get(t);
  return (
    <span title={`from ${line.source}; ${knownWords(line.known)}`}>
      <i>{line.title}</i> {found === undefined ? 'no value' : `${compact(found.value)} ${line.unit} ${span(ageAt(found, { t }, interval, serverNow.peek()))} old`}
    </span>
  );
}
