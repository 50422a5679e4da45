// Alerts: what is open, what is watched, what was sent to whom, and what is kept silent. Each part has an address of its own.
import type { JSX } from 'preact';
import { hrefTo, place, setParams } from '../../state/place';
import { Choice } from '../../ui/Choice';
import { DeliveriesPanel } from './DeliveriesPanel';
import { EndpointsPanel } from './EndpointsPanel';
import { EventsList } from './EventsList';
import { GroupsPanel } from './GroupsPanel';
import { SilencesPanel } from './SilencesPanel';
import { WatchesPanel } from './WatchesPanel';

const VIEWS = [
  ['open', 'Open'],
  ['all', 'All'],
  ['watches', 'Watches'],
  ['deliveries', 'Deliveries'],
  ['silences', 'Silences'],
] as const;

export function AlertsPage(): JSX.Element {
  const wished = place.value.params['view'];
  const view = VIEWS.find(([v]) => v === wished)?.[0] ?? 'open';
  return (
    <>
      <div class="market-title">
        <h1>Alerts</h1>
        <Choice name="view" options={VIEWS} value={view} choose={(next) => setParams({ view: next === 'open' ? null : next, message: null }, false)} />
        <a href={hrefTo('/cases')}>Cases</a>
      </div>
      {view === 'open' && (
        <>
          <GroupsPanel />
          <EventsList open />
        </>
      )}
      {view === 'all' && <EventsList open={false} />}
      {view === 'watches' && <WatchesPanel />}
      {view === 'deliveries' && (
        <>
          <EndpointsPanel />
          <DeliveriesPanel />
        </>
      )}
      {view === 'silences' && <SilencesPanel />}
    </>
  );
}
