// What the changed book would have said, in full: labels, forecasts, markets, and what cannot be replayed with its reason.
import { Fragment } from 'preact';
import type { JSX } from 'preact';
import type { Resource } from '../../api/resource';
import type { BeforeAfter, HitRates, WhatIfView } from '../../api/types';
import type { Axis } from '../../contract';
import { NONE, count, fixed, percent } from '../../format/number';
import { marketPath } from '../../state/url';
import { hrefTo } from '../../state/place';
import { Answer } from '../../ui/Answer';
import { Label } from '../../ui/Label';
import { Panel } from '../../ui/Panel';
import { TableHead } from '../../ui/TableHead';
import { EVENTS, isEvent } from '../scorecard/events';
import { leadText, precisionText, recallText, skillText } from './words';

export function Found({ found, left }: { found: Resource<WhatIfView>; left: readonly string[] }): JSX.Element {
  return (
    <Answer of={found} lines={14}>
      {(data) => (
        <div class="stack" data-testid="found">
          <Labels data={data} />
          <Forecasts data={data} />
          {data.markets.length > 1 && <Markets markets={data.markets.filter((market) => market.market_days > 0)} />}
          <NotReplayed data={data} left={left} />
        </div>
      )}
    </Answer>
  );
}

function Pair({ of, text }: { of: BeforeAfter; text: (x: number | null) => string }): JSX.Element {
  return (
    <>
      <span class="muted">{text(of.before)}</span> <span aria-label="becomes">→</span> {text(of.after)}
    </>
  );
}

function Labels({ data }: { data: WhatIfView }): JSX.Element {
  const { all } = data;
  const two = (x: number | null): string => fixed(x, 2);
  return (
    <Panel title="Labels" id="labels" aside={<span>per market and day</span>}>
      <div class="scroll" tabIndex={0} role="group" aria-label="labels">
        <table class="stacked">
          <TableHead
            of={[
              { name: 'label' },
              { name: 'entered a day', title: 'times a day that it is entered: its alerts', num: true },
              { name: 'share of time', num: true },
              { name: 'overlap', title: 'minutes with the label in both books, out of those with it in either', num: true },
            ]}
          />
          <tbody>
            {all.axes.flatMap((axis) => [
              ...axis.labels
                .filter((each) => each.minutes_both + each.minutes_before_only + each.minutes_after_only > 0)
                .map((each) => (
                  <tr key={`${axis.axis}${each.label}`}>
                    <th scope="row">
                      <Label axis={axis.axis as Axis} label={each.label} />
                    </th>
                    <td class="num" data-name="entered a day">
                      <Pair of={each.entries_per_day} text={two} />
                    </td>
                    <td class="num" data-name="share of time">
                      <Pair of={each.share} text={(x) => percent(x)} />
                    </td>
                    <td class="num" data-name="overlap">{each.overlap === null ? NONE : percent(each.overlap, 0)}</td>
                  </tr>
                )),
              <tr key={axis.axis} class="sum-row">
                <th scope="row">{axis.axis}: flips</th>
                <td class="num" data-name="changes a day">
                  <Pair of={axis.changes_per_day} text={two} />
                </td>
                <td class="num" />
                <td class="num" data-name="as today">{percent(axis.same_share, 0)}</td>
              </tr>,
            ])}
            {all.rules.map((rule) => (
              <tr key={`rule ${rule.rule}`}>
                <th scope="row">alert {rule.rule}</th>
                <td class="num" data-name="fired a day">
                  <Pair of={rule.per_day} text={two} />
                </td>
                <td />
                <td />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {(all.minutes_not_as_published ?? 0) > 0 && (
        <p class="muted small">{count(all.minutes_not_as_published ?? 0, 'minute')} replayed under the base have another label than was published then.</p>
      )}
    </Panel>
  );
}

const RATES: readonly (readonly [name: string, title: string, text: (of: HitRates) => string])[] = [
  ['precision', 'share of the entries that the event followed, with Wilson’s 90 % interval', precisionText],
  ['recall', 'share of the events that an entry came before, within the horizon', recallText],
  ['in force', 'share of the events at whose onset the label held already', (of) => percent(of.in_force_at_onset)],
  ['lead', 'from the entry to the event, median', leadText],
  ['lift', 'how much likelier the event is after an entry than at any moment', (of) => (of.lift === null ? NONE : `×${fixed(of.lift, 1)}`)],
  ['skill', 'squared error of the label as a forecast beside that of persistence, with its 90 % band; a band that includes zero shows no skill', skillText],
];

function Forecasts({ data }: { data: WhatIfView }): JSX.Element {
  return (
    <Panel title="As forecasts" id="forecasts">
      {data.all.forecasts.length === 0 && <p class="muted">What followed is not stored.</p>}
      {data.all.forecasts.map((each) => (
        <Fragment key={each.event}>
          <h3 class="forecast-name">
            <Label axis="risk" label={each.label} /> as a forecast of {eventName(each.event)}, <span class="muted">which follows {percent(each.base_rate)} of all moments</span>
          </h3>
          <div class="scroll" tabIndex={0} role="group" aria-label={`${each.label} as a forecast`}>
            <table class="forecast-table" data-testid={`forecast-${each.event}`}>
              <TableHead of={[{ name: '' }, { name: 'before', num: true }, { name: 'after', num: true }]} />
              <tbody>
                {RATES.map(([name, title, text]) => (
                  <tr key={name}>
                    <th scope="row" title={title}>
                      {name}
                    </th>
                    <td class="num muted rate">{text(each.before)}</td>
                    <td class="num rate">{text(each.after)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Fragment>
      ))}
    </Panel>
  );
}

function eventName(event: string): string {
  const name = isEvent(event) ? EVENTS[event].name : event;
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function Markets({ markets }: { markets: WhatIfView['markets'] }): JSX.Element {
  const two = (x: number | null): string => fixed(x, 2);
  return (
    <Panel title="By market" id="by-market">
      <div class="scroll tall" tabIndex={0} role="group" aria-label="markets">
        <table class="stacked">
          <TableHead of={[{ name: 'market' }, { name: 'alerts a day', num: true }, { name: 'flips a day', num: true }]} />
          <tbody>
            {markets.map((market) => (
              <tr key={market.instrument}>
                <th scope="row">
                  <a href={hrefTo(marketPath(market.instrument))}>{market.instrument}</a>
                </th>
                <td class="num" data-name="alerts a day">
                  <Pair of={market.alerts_per_day} text={two} />
                </td>
                <td class="num" data-name="flips a day">
                  <Pair of={market.axes[0]?.changes_per_day ?? { before: null, after: null }} text={two} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function NotReplayed({ data, left }: { data: WhatIfView; left: readonly string[] }): JSX.Element {
  return (
    <Panel title="What is not replayed" id="not-replayed">
      <ul class="bullets small" data-testid="left-out">
        {[...data.left_out, ...left].map((line) => (
          <li key={line}>{line.endsWith('.') ? line : `${line}.`}</li>
        ))}
      </ul>
    </Panel>
  );
}
