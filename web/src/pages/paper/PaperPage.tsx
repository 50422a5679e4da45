// A week on paper: what the followed strategy considered, what advice said of it, and what came of it. No order stands behind any of
// it. Week and filter stand in the address.
import type { JSX } from 'preact';
import { useComputed } from '@preact/signals';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { PaperReview, PaperView } from '../../api/types';
import { count, plain } from '../../format/number';
import { MINUTE } from '../../format/time';
import { serverNow } from '../../state/clock';
import { asOf, place, setParams } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { Panel } from '../../ui/Panel';
import { TableHead } from '../../ui/TableHead';
import { Time } from '../../ui/Time';
import { Decisions } from './Decisions';
import { FILTERS, filtered, gapText, groups, mixedText, notMadeText, rText, strategyText, summary, weekDays, wonText } from './words';

/** Another process writes the log, a line a bar at most. */
const AGAIN_MS = 5 * MINUTE;

export function PaperPage(): JSX.Element {
  const week = place.value.params['week'] ?? null;
  const turn = useComputed(() => Math.floor(serverNow.value / AGAIN_MS));
  const paper = useResource<PaperView>(withQuery('/api/v1/paper', { week, as_of: asOf.value }), { on: asOf.value === null ? turn.value : null });
  return (
    <>
      <h1>On paper</h1>
      <p class="measure muted">
        A simple strategy, followed on live bars: every entry it considers, what the advice said of it, and what came of it, taken or skipped. No order is placed. Results are those of bars, in units of risk (R).
      </p>
      <Answer of={paper} lines={12}>
        {(data) => (data.weeks.length === 0 && data.review === null ? <Nothing started={data.started_at} /> : <Shown data={data} />)}
      </Answer>
    </>
  );
}

function Nothing({ started }: { started: string | null }): JSX.Element {
  if (asOf.value !== null) return <Empty why="No decision had been logged at this moment." todo="Choose a later one." />;
  if (started !== null) return <Empty why="No decision yet." todo="Decisions come at the close of a bar." />;
  return (
    <Empty
      why="No decisions are logged in this data folder."
      todo={
        <>
          Start to log them beside this server: <code>barograph paper --symbol BTCUSDT</code>
        </>
      }
    />
  );
}

function Shown({ data }: { data: PaperView }): JSX.Element {
  const { review } = data;
  const filter = FILTERS.find(([id]) => id === place.value.params['show'])?.[0] ?? 'all';
  const shown = filtered(data.decisions, filter);
  const mixed = review === null ? null : mixedText(review);
  return (
    <>
      <Weeks data={data} />
      {review !== null && (
        <>
          <Panel title="The week" id="week" aside={<Started data={data} />}>
            <p class="lead" data-testid="paper-summary">
              {summary(review)}
            </p>
            {mixed !== null && <p class="muted small">{mixed}</p>}
            {review.all.decisions > 0 && <Groups review={review} />}
            {review.all.decisions > 0 && <p class="muted small">{gapText(review)} One week is too short to tell skill from luck: read the intervals.</p>}
            <NotMade review={review} />
          </Panel>
          {review.all.decisions > 0 && (
            <Panel title="Decisions" id="decisions" aside={<Choice name="decisions" options={FILTERS} value={filter} choose={(id) => setParams({ show: id === 'all' ? null : id }, false)} />}>
              {shown.length === 0 ? <Empty why="None of these in this week." /> : <Decisions trades={shown} />}
              {data.more > 0 && <p class="muted small">{count(data.more, 'older decision')} of the week not listed; the log has all: paper/decisions.jsonl of the data folder.</p>}
            </Panel>
          )}
        </>
      )}
    </>
  );
}

function Started({ data }: { data: PaperView }): JSX.Element | null {
  if (data.started_at === null) return null;
  return (
    <span>
      {data.strategy === null ? '' : `${strategyText(data.strategy)}, `}watched since <Time at={data.started_at} />
    </span>
  );
}

function Weeks({ data }: { data: PaperView }): JSX.Element {
  const shown = data.review?.week ?? null;
  const at = data.weeks.findIndex((each) => each.week === shown);
  const go = (to: number): void => {
    const week = data.weeks[to]?.week;
    if (week !== undefined) setParams({ week: to === 0 ? null : week }, false);
  };
  return (
    <div class="filters">
      <label class="inline-field">
        <span>week</span>
        <select aria-label="week" value={shown ?? ''} onChange={(event) => go(data.weeks.findIndex((each) => each.week === event.currentTarget.value))}>
          {at < 0 && shown !== null && <option value={shown}>{shown}</option>}
          {data.weeks.map((each) => (
            <option key={each.week} value={each.week}>
              {each.week}, {weekDays(each.from)}
            </option>
          ))}
        </select>
      </label>
      <span class="turn-back">
        <button type="button" class="plain" disabled={at < 0 || at === data.weeks.length - 1} onClick={() => go(at + 1)}>
          Week before
        </button>
        <button type="button" class="plain" disabled={at <= 0} onClick={() => go(at - 1)}>
          Week after
        </button>
      </span>
    </div>
  );
}

function Groups({ review }: { review: PaperReview }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="groups">
      <table class="stacked" data-testid="paper-groups">
        <TableHead
          of={[
            { name: 'group' },
            { name: 'decisions', num: true },
            { name: 'open', title: 'the outcome is not known yet', num: true },
            { name: 'unresolved', title: 'bars are missing', num: true },
            { name: 'resolved', num: true },
            { name: 'won', title: 'share of the resolved, with its 95 % interval', num: true },
            { name: 'mean after costs', num: true },
            { name: 'plain pair', title: 'the same entries with a stop at 1.5 ATR and a target at 1.5 times that, after costs', num: true },
          ]}
        />
        <tbody>
          {groups(review).map(([name, of, begins = false]) => (
            <tr key={name} class={begins ? 'begins' : undefined}>
              <th scope="row">{name}</th>
              <td class="num" data-name="decisions">{plain(of.decisions, 9)}</td>
              <td class="num" data-name="open">{plain(of.open, 9)}</td>
              <td class="num" data-name="unresolved">{plain(of.unresolved, 9)}</td>
              <td class="num" data-name="resolved">{plain(of.resolved, 9)}</td>
              <td class="num" data-name="won">{wonText(of)}</td>
              <td class="num" data-name="mean after costs">{rText(of.mean_r_after_costs)}</td>
              <td class="num" data-name="plain pair">{rText(of.plain_mean_r_after_costs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NotMade({ review }: { review: PaperReview }): JSX.Element | null {
  const words = notMadeText(review);
  return words === null ? null : <p data-testid="not-made">{words}</p>;
}
