// Records of alerts as episodes: one row for each, by the newest that is known of it, and its numbers in a few words. Pure.
import type { EventView } from '../../api/types';
import { severityRank } from '../../board/severity';
import { featureText, unitWord } from '../../format/feature';
import { compact, plain, price } from '../../format/number';
import { newestFirst, span } from '../../format/time';

export interface Episode {
  key: string;
  newest: EventView;
  /** Every record that is at hand, newest first. */
  records: readonly EventView[];
}

export type Sorting = 'severity' | 'newest';

/** One episode for each alert, newest record first within it; episodes in the order of their newest record. */
export function episodesOf(events: readonly EventView[]): Episode[] {
  const of = new Map<string, EventView[]>();
  for (const event of events) {
    const known = of.get(event.alert_id);
    if (known === undefined) of.set(event.alert_id, [event]);
    else known.push(event);
  }
  const episodes = [...of].map(([key, found]): Episode => {
    const records = [...found].sort((a, b) => b.revision - a.revision);
    return { key, newest: records[0] as EventView, records };
  });
  return episodes.sort((a, b) => newestFirst(a.newest.known_at, b.newest.known_at));
}

/** The most severe first, of equals the newest. What is over stands behind what goes on. */
export function sorted(episodes: readonly Episode[], by: Sorting): Episode[] {
  if (by === 'newest') return [...episodes];
  const rank = ({ newest }: Episode): number => severityRank(newest.severity);
  return [...episodes].sort((a, b) => rank(b) - rank(a) || newestFirst(a.newest.known_at, b.newest.known_at));
}

const SIDES: Record<string, string> = {
  LONG: 'longs liquidated',
  SHORT: 'shorts liquidated',
  BALANCED: 'both sides liquidated',
  LONG_SQUEEZE: 'longs crowded',
  SHORT_SQUEEZE: 'shorts crowded',
};

function text(event: EventView, name: string): string | null {
  const value = event.data[name];
  return typeof value === 'string' ? value : null;
}

function number(event: EventView, name: string): number | null {
  const value = event.data[name];
  return typeof value === 'number' ? value : null;
}

/** On which side, in words; null where an alert has none. */
export function sideOf(event: EventView): string | null {
  const word = event.moment?.side ?? text(event, 'side_bias') ?? null;
  return word === null ? null : (SIDES[word] ?? null);
}

/** The price of its minute, or the range in which a burst was liquidated. */
export function priceOf(event: EventView): string | null {
  const at = event.moment?.price ?? null;
  if (at !== null) return price(at);
  const [low, high] = [number(event, 'price_low'), number(event, 'price_high')];
  if (low === null || high === null) return null;
  return low === high ? price(low) : `${price(low)} to ${price(high)}`;
}

export interface Figure {
  /** What was measured, without its horizon being left out. */
  name: string;
  value: string;
  /** Null where it is stated beside no limit. */
  limit: string | null;
}

type Statistic = EventView['evidence']['statistics'][number];

/** Of the statistics that decide the one that is farthest beyond its limit. */
function decisive(event: EventView): Statistic | null {
  const { statistics } = event.evidence;
  const deciding = statistics.filter((one) => one.decides);
  const far = [...(deciding.length > 0 ? deciding : statistics)].sort((a, b) => Math.abs(b.u ?? 0) - Math.abs(a.u ?? 0));
  return far[0] ?? null;
}

/** The record that shows how far an episode went: the newest, and of one that is over the farthest that is at hand. */
export function peakOf({ newest, records }: Episode): EventView {
  if (newest.state !== 'CLOSED' || number(newest, 'count') !== null) return newest;
  const reach = (event: EventView): number => Math.abs(decisive(event)?.u ?? 0);
  return records.reduce((far, record) => (reach(record) > reach(far) ? record : far), newest);
}

/** The number that decides, against its limit; of a burst how many, how much and how fast. */
export function figureOf(event: EventView, nameOf: (feature: string) => string): Figure | null {
  const [closes, usd, seconds] = [number(event, 'count'), number(event, 'total_liquidated_usd'), number(event, 'span_s')];
  if (closes !== null && usd !== null) {
    const over = seconds === null ? '' : ` in ${span(seconds * 1000)}`;
    return { name: closes === 1 ? 'liquidation' : 'liquidations', value: `${plain(closes)}${over}, ${compact(usd)} USD`, limit: null };
  }
  const statistic = decisive(event);
  if (statistic === null) return null;
  // Told as the share of the larger side, as the sentences about it are: the statistic is by how much it outweighs.
  if (statistic.name === 'position_concentration' && statistic.value !== null) {
    const share = (lean: number): string => featureText(0.5 + Math.abs(lean) / 2, statistic.unit);
    return { name: 'larger side', value: share(statistic.value), limit: share(statistic.threshold) };
  }
  const unit = unitWord(statistic.unit);
  const value = statistic.value === null ? (statistic.reason ?? 'no reading').replaceAll('_', ' ') : `${featureText(statistic.value, statistic.unit)}${unit === '' ? '' : ` ${unit}`}`;
  return { name: nameOf(statistic.name), value, limit: featureText(statistic.threshold, statistic.unit) };
}

/** "risk leaves HIGH_VOL": what would have to turn for this alert to be over, as a watch is asked for; null where no watch can say it. */
export function turnOf(event: EventView, isFeature: (name: string) => boolean): string | null {
  const [axis, to] = [text(event, 'axis'), text(event, 'to')];
  if (axis !== null && to !== null && event.change === 'HAPPENED') return to === 'UNKNOWN' ? null : `${axis} leaves ${to}`;
  if (event.state === 'CLOSED') return null;
  const statistic = decisive(event);
  if (statistic === null || statistic.value === null || !isFeature(statistic.name)) return null;
  // What is beyond its limit on the far side of zero clears towards it.
  const below = statistic.value > statistic.threshold;
  return `${statistic.name} ${below ? 'below' : 'above'} ${statistic.threshold}`;
}

export interface Kind {
  word: string;
  text: string;
}

/** What alerts there are, as the filter offers them. */
export const KINDS: readonly (readonly [group: string, kinds: readonly Kind[]])[] = [
  [
    'Labels',
    [
      { word: 'REGIME_CHANGE', text: 'A label changed' },
      { word: 'REGIME_CONFIRMED', text: 'Timeframes agree' },
      { word: 'VOLATILITY_REGIME_CHANGE', text: 'Volatility class changed' },
      { word: 'SESSION_CHANGED', text: 'Session changed' },
    ],
  ],
  [
    'Liquidations',
    [
      { word: 'LIQUIDATION_CASCADE', text: 'Cascade or burst' },
      { word: 'FORCED_LIQUIDATIONS', text: 'Forced liquidations' },
    ],
  ],
  [
    'Funding',
    [
      { word: 'FUNDING_ANOMALY', text: 'Funding anomaly' },
      { word: 'FUNDING_MANIPULATION', text: 'Funding manipulation' },
      { word: 'FUNDING_REVERSAL', text: 'Funding reversal' },
      { word: 'FUNDING_FARMING', text: 'Funding farming' },
    ],
  ],
  [
    'Prices and positions',
    [
      { word: 'BASIS_MANIPULATION', text: 'Basis out of line' },
      { word: 'PREMIUM_DEVIATION', text: 'Mark far from index' },
      { word: 'POSITION_CONCENTRATION', text: 'Top traders one-sided' },
      { word: 'CORRELATION_BREAK', text: 'Correlation break' },
    ],
  ],
  [
    'Books and trades',
    [
      { word: 'SPOOFING', text: 'Large orders pulled' },
      { word: 'LAYERING', text: 'Stacked orders pulled' },
      { word: 'QUOTE_STUFFING', text: 'Flood of quotes' },
      { word: 'WASH_TRADING', text: 'Self-matched trades' },
      { word: 'PUMP_AND_DUMP', text: 'Sharp rise, then fall' },
      { word: 'FUNDING_WINDOW_PRESSURE', text: 'Pressure before funding' },
    ],
  ],
  [
    'Data and own rules',
    [
      { word: 'DATA_GAP', text: 'Data lost' },
      { word: 'FEED_STALE', text: 'Data too old' },
      { word: 'ALERT_RULE', text: 'Own rule' },
      { word: 'FEATURE_DRIFT', text: 'Readings drifted' },
      { word: 'SKILL_LOST', text: 'Forecast skill lost' },
    ],
  ],
];

export function kindOf(word: string | undefined): Kind | null {
  return KINDS.flatMap(([, kinds]) => kinds).find((kind) => kind.word === word) ?? null;
}
