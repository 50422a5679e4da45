// Cascades (R4.47): liquidated longs and shorts by hour, stacked, and the five heaviest cascades with badges.
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { AliasCascades, EventPage } from '../../api/types';
import { alertEdition } from '../../board/live';
import { compact } from '../../format/number';
import { local } from '../../format/time';
import { serverNow } from '../../state/clock';
import { asOf, place, setParams } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { ColumnChart } from '../../ui/ColumnChart';
import type { ColumnOf } from '../../ui/ColumnChart';
import { Panel } from '../../ui/Panel';
import { TopCascades } from './TopCascades';

const STRETCHES = ['24', '72', '168', '720'] as const;

export function CascadesPage(): JSX.Element {
  const wished = place.value.params['hours'];
  const hours = STRETCHES.find((h) => h === wished) ?? '24';
  const cascades = useResource<AliasCascades>(withQuery('/api/cascades', { hours, as_of: asOf.value }));
  const events = useResource<EventPage>(withQuery('/api/v1/events', { pattern: 'LIQUIDATION_CASCADE', order: 'desc', limit: 100, as_of: asOf.value }));
  const edition = alertEdition.value;
  useEffect(() => {
    if (edition === 0) return;
    cascades.reload();
    events.reload();
  }, [edition]);
  return (
    <>
      <h1>Cascades</h1>
      <Panel
        title="Liquidations by hour"
        aside={
          <>
            <ul class="legend">
              <li>
                <span class="tone-red" aria-hidden="true">
                  ■
                </span>{' '}
                longs
              </li>
              <li>
                <span class="tone-purple" aria-hidden="true">
                  ■
                </span>{' '}
                shorts
              </li>
            </ul>
            <Choice name="stretch" options={STRETCHES.map((h) => [h, Number(h) <= 24 ? `${h} h` : `${Number(h) / 24} d`] as const)} value={hours} choose={(h) => setParams({ hours: h === '24' ? null : h })} />
          </>
        }
      >
        <Answer of={cascades} lines={6}>
          {(data) => <Hours series={data.series} />}
        </Answer>
      </Panel>
      <Panel title="Top five">
        <Answer of={events} lines={5}>
          {(page) => <TopCascades events={page.items} since={serverNow.peek() - Number(hours) * 3_600_000} />}
        </Answer>
      </Panel>
    </>
  );
}

function Hours({ series }: { series: AliasCascades['series'] }): JSX.Element {
  const known = series.filter((hour) => hour.long_usd !== null || hour.short_usd !== null);
  if (known.length === 0) {
    return (
      <Empty
        why="No hour of this stretch has liquidations that can be counted."
        todo="Liquidations are heard live only: they are not part of recorded candles. Listen for an hour, or choose a longer stretch."
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
        { name: 'longs', value: hour.long_usd ?? 0, tone: 'red' },
        { name: 'shorts', value: hour.short_usd ?? 0, tone: 'purple' },
      ],
    };
  });
  const every = Math.max(1, Math.round(series.length / (window.innerWidth < 640 ? 4 : 8)));
  const ticks = series.flatMap((hour, at) => (at % every === 0 ? [[at, local(hour.timestamp, series.length > 24 ? 0 : now).slice(series.length > 24 ? 5 : -5)] as const] : []));
  const sum = (of: 'long_usd' | 'short_usd'): number => known.reduce((all, hour) => all + (hour[of] ?? 0), 0);
  return (
    <>
      <p class="num">
        Longs <b>{compact(sum('long_usd'))} USD</b>, shorts <b>{compact(sum('short_usd'))} USD</b>
        {known.length < series.length && <span class="muted">, {series.length - known.length} of {series.length} hours not known</span>}
      </p>
      <ColumnChart columns={columns} ticks={ticks} format={compact} label="liquidated longs and shorts by hour, in USD" />
    </>
  );
}

function words(reason: string | null | undefined): string {
  return reason === null || reason === undefined ? 'not known' : reason.replaceAll('_', ' ');
}
