// What the market did after an alert began, and after the earlier ones most like it: asked for when somebody opens the alert.
import type { JSX } from 'preact';
import { useResource } from '../../api/resource';
import type { AlertOutcome, EventView } from '../../api/types';
import { asOf, hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Answer } from '../../ui/Answer';
import { Time } from '../../ui/Time';
import { OutcomeTable } from './OutcomeTable';

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
  const earlier = similar.map((one) => ({
    key: one.alert_id,
    head: (
      <a href={hrefTo(marketPath(instrument), { as_of: one.opened_at })}>
        <Time at={one.opened_at} />
      </a>
    ),
    of: one.outcome,
  }));
  const note = similar.length > 0 ? 'Below it earlier ones of this kind here, the most alike first.' : 'There is no earlier one of this kind here.';
  return <OutcomeTable title="what followed" rows={[{ key: 'own', head: 'this one', of: own }, ...earlier]} note={note} />;
}
