// Cascades (R4.47): liquidated longs and shorts by hour, stacked, and the five heaviest cascades with badges.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { readPages } from '../../api/pages';
import type { Pages } from '../../api/pages';
import { useResource } from '../../api/resource';
import type { EventView, LiquidationHours } from '../../api/types';
import { alertEdition } from '../../board/live';
import { rows } from '../../board/store';
import { compact, count } from '../../format/number';
import { HOUR, iso, local } from '../../format/time';
import { serverNow } from '../../state/clock';
import { asOf, place, setParams } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { ColumnChart } from '../../ui/ColumnChart';
import type { ColumnOf } from '../../ui/ColumnChart';
import { Panel } from '../../ui/Panel';
import { TrustWords } from '../../ui/RowState';
import { useHour } from '../../ui/hourly';
import { Tabs } from '../weather/Tabs';
import { Timeline } from './Timeline';
import { TopCascades } from './TopCascades';

const STRETCHES = ['24', '72', '168', '720'] as const;
/** Markets that are named as not heard. */
const NAMED = 6;

export function CascadesPage(): JSX.Element {
  const wished = place.value.params['hours'];
  const hours = STRETCHES.find((h) => h === wished) ?? '24';
  const hour = useHour();
  const on = `${alertEdition.value} ${hour}`;
  const liquidations = useResource<LiquidationHours>(withQuery('/api/v1/liquidations', { hours, as_of: asOf.value }), { on });
  // As many whole hours as the chart has, and the one that is under way.
  const start = iso((hour - Number(hours)) * HOUR);
  const records = withQuery('/api/v1/events', { pattern: 'LIQUIDATION_CASCADE', start, order: 'desc', limit: 1000, as_of: asOf.value });
  const events = useResource<Pages<EventView>>(records, { on, read: readPages });
  return (
    <>
      <h1 class="unseen">Cascades</h1>
      <Tabs />
      <Panel
        title="Liquidations by hour"
        aside={
          <>
            <Sides />
            <Choice name="stretch" options={STRETCHES.map((h) => [h, Number(h) <= 24 ? `${h} h` : `${Number(h) / 24} d`] as const)} value={hours} choose={(h) => setParams({ hours: h === '24' ? null : h })} />
          </>
        }
      >
        <Answer of={liquidations} lines={6}>
          {(data) => <Hours series={data.items} />}
        </Answer>
        <NotHeard />
      </Panel>
      <Panel title="When and where">
        <Answer of={events} lines={5}>
          {(pages) =>
            pages.items.length === 0 ? (
              <p class="muted">No cascade in this stretch.</p>
            ) : (
              <Timeline events={pages.items} from={(hour - Number(hours)) * HOUR} to={(hour + 1) * HOUR} />
            )
          }
        </Answer>
      </Panel>
      <Panel title="Top five">
        <Answer of={events} lines={5}>
          {(pages) => <TopCascades events={pages.items} whole={pages.whole} />}
        </Answer>
      </Panel>
    </>
  );
}

/** Colour, direction and hatching tell the sides apart, and so do their words. */
function Sides(): JSX.Element {
  return (
    <ul class="legend">
      <li>
        <span class="swatch tone-red" aria-hidden="true" /> ▼ longs
      </li>
      <li>
        <span class="swatch tone-purple hatched" aria-hidden="true" /> ▲ shorts
      </li>
    </ul>
  );
}

/** Liquidations of these are not in the hour under way. */
function NotHeard(): JSX.Element | null {
  const silent = rows.value.filter((row) => row.state() === 'lost' || row.state() === 'stale');
  if (silent.length === 0) return null;
  return (
    <p class="muted small" data-testid="not-heard">
      Of {count(rows.value.length, 'market')}, {silent.length} {silent.length === 1 ? 'has' : 'have'} a gap in the feed {asOf.value === null ? 'now' : 'at that moment'}; liquidations may be missing:{' '}
      {silent.slice(0, NAMED).map((row, at) => (
        <span key={row.instrument}>
          {at > 0 && ', '}
          {row.at.symbol} <span class="small">{row.at.venue}</span>
          <TrustWords row={row} />
        </span>
      ))}
      {silent.length > NAMED && ` and ${silent.length - NAMED} more`}.
    </p>
  );
}

function Hours({ series }: { series: LiquidationHours['items'] }): JSX.Element {
  const known = series.filter((hour) => hour.long_usd !== null || hour.short_usd !== null);
  if (known.length === 0) {
    return (
      <Empty
        why="No hour of this stretch has liquidations that can be counted."
        todo="Liquidations come from live feeds; recorded candles have none. Record for an hour, or choose a longer stretch."
      />
    );
  }
  const now = serverNow.peek();
  const columns = series.map((hour): ColumnOf => {
    const name = local(hour.timestamp, now);
    if (hour.long_usd === null && hour.short_usd === null) return { name, parts: null, reason: words(hour.long_usd_reason) };
    return {
      name,
      parts: [
        { name: '▼ longs', value: hour.long_usd ?? 0, tone: 'red' },
        { name: '▲ shorts', value: hour.short_usd ?? 0, tone: 'purple', hatched: true },
      ],
    };
  });
  const every = Math.max(1, Math.round(series.length / (window.innerWidth < 640 ? 4 : 8)));
  const ticks = series.flatMap((hour, at) => (at % every === 0 ? [[at, local(hour.timestamp, series.length > 24 ? 0 : now).slice(series.length > 24 ? 5 : -5)] as const] : []));
  const sum = (of: 'long_usd' | 'short_usd'): number => known.reduce((all, hour) => all + (hour[of] ?? 0), 0);
  return (
    <>
      <p class="num" data-testid="liquidated">
        ▼ Longs <b>{compact(sum('long_usd'))} USD</b>, ▲ shorts <b>{compact(sum('short_usd'))} USD</b>
        {known.length < series.length && (
          <span class="muted">
            , {series.length - known.length} of {series.length} hours not known
          </span>
        )}
      </p>
      <ColumnChart columns={columns} ticks={ticks} format={compact} label="liquidated longs and shorts by hour, in USD" />
    </>
  );
}

function words(reason: string | null | undefined): string {
  return reason === null || reason === undefined ? 'not known' : reason.replaceAll('_', ' ');
}
