// What the market did after an alert began, and after the earlier ones most like it: asked for when somebody opens the alert.
import type { JSX } from 'preact';
import { useResource } from '../../api/resource';
import type { AlertOutcome, EventView } from '../../api/types';
import { compact, fixed, percent } from '../../format/number';
import { asOf, hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Answer } from '../../ui/Answer';
import { Time } from '../../ui/Time';

const WHY: Record<string, string> = {
  not_over: 'not over yet',
  gap: 'not recorded',
  too_coarse: 'prices are too far apart',
  not_offered: 'the venue does not publish it',
};
const why = (reason: string | null | undefined): string => WHY[reason ?? ''] ?? 'not known';

/** What a row shows of an outcome: a text, or why there is none. */
interface Column {
  name: string;
  text: (of: AlertOutcome) => string | null;
  reason: (of: AlertOutcome) => string;
}

function moved(horizon: string, name: string): Column {
  const span = (of: AlertOutcome): AlertOutcome['spans'][number] | undefined => of.spans.find((s) => s.horizon === horizon);
  return {
    name,
    text: (of) => {
      const { max_move: move, max_move_atr: atr } = span(of) ?? {};
      if (move === null || move === undefined) return null;
      return `${percent(move, 1, true)}${atr === null || atr === undefined ? '' : ` (${fixed(atr, 1)})`}`;
    },
    reason: (of) => why(span(of)?.reason),
  };
}

const COLUMNS: readonly Column[] = [
  moved('5m', '5 min'),
  moved('1h', '1 h'),
  moved('4h', '4 h'),
  {
    name: 'liquidated in 1 h',
    text: ({ liquidated_usd_1h: usd }) => (usd === null || usd === undefined ? null : compact(usd)),
    reason: (of) => why(of.liquidated_usd_1h_reason),
  },
];

export function Followed({ alert }: { alert: EventView }): JSX.Element {
  const moment = asOf.value === null ? '' : `?as_of=${encodeURIComponent(asOf.value)}`;
  const whole = useResource<EventView>(`/api/v1/events/${alert.alert_id}${moment}`, { on: alert.revision });
  return (
    <Answer of={whole} lines={3}>
      {({ evidence, instrument }) => (evidence.outcome == null ? null : <Outcomes own={evidence.outcome} similar={evidence.similar ?? []} instrument={instrument} />)}
    </Answer>
  );
}

function Outcomes({ own, similar, instrument }: { own: AlertOutcome; similar: NonNullable<EventView['evidence']['similar']>; instrument: string }): JSX.Element {
  const all = [own, ...similar.map((one) => one.outcome)];
  // A column that nobody has a number for is one sentence, once.
  const shown = COLUMNS.filter((column) => all.some((of) => column.text(of) !== null));
  const absent = COLUMNS.filter((column) => !shown.includes(column)).map((column) => `${column.name}: ${column.reason(own)}`);
  return (
    <>
      {shown.length > 0 && (
        <div class="scroll" tabIndex={0} role="group" aria-label="table">
          <table class="stacked compact">
            <thead>
              <tr>
                <th scope="col">what followed</th>
                {shown.map(({ name }) => (
                  <th key={name} scope="col" class="num">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              <Row head="this one" of={own} shown={shown} />
              {similar.map((one) => (
                <Row
                  key={one.alert_id}
                  head={
                    <a href={hrefTo(marketPath(instrument), { as_of: one.opened_at })}>
                      <Time at={one.opened_at} />
                    </a>
                  }
                  of={one.outcome}
                  shown={shown}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="muted small">
        {shown.length > 0 && 'The farthest the price went from where it was, in brackets in hourly ATRs. '}
        {similar.length > 0 ? 'Below it earlier ones of this kind here, the most alike first. ' : 'There is no earlier one of this kind here. '}
        {absent.length > 0 && `${absent.join('; ')}.`}
      </p>
    </>
  );
}

function Row({ head, of, shown }: { head: JSX.Element | string; of: AlertOutcome; shown: readonly Column[] }): JSX.Element {
  return (
    <tr>
      <th scope="row">{head}</th>
      {shown.map((column) => (
        <td key={column.name} class="num" data-name={column.name}>
          {column.text(of) ?? <span class="muted">{column.reason(of)}</span>}
        </td>
      ))}
    </tr>
  );
}
