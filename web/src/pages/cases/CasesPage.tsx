// Cases: alerts that somebody looks into. The list, what closed cases say of detectors, or the one case of the address.
import type { JSX } from 'preact';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { CaseList } from '../../api/types';
import { hrefTo, place, setParams } from '../../state/place';
import { Answer, Empty } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { Panel } from '../../ui/Panel';
import { Severity } from '../../ui/Severity';
import { Time } from '../../ui/Time';
import './cases.css';
import { OneCase } from './OneCase';
import { PrecisionTable } from './PrecisionTable';
import { stateText } from './words';

const STATES = ['all', 'open', 'acknowledged', 'closed'] as const;

export function CasesPage(): JSX.Element {
  const id = place.value.params['case'] ?? null;
  return id === null ? <List /> : <OneCase key={id} id={id} />;
}

function List(): JSX.Element {
  const state = STATES.find((s) => s === place.value.params['state']) ?? 'all';
  const cases = useResource<CaseList>(withQuery('/api/v1/cases', { state: state === 'all' ? null : state }));
  return (
    <>
      <div class="market-title">
        <h1>Cases</h1>
        <Choice name="state" options={STATES.map((s) => [s, s === 'all' ? 'All' : stateText(s, null)] as const)} value={state} choose={(next) => setParams({ state: next === 'all' ? null : next })} />
      </div>
      <Answer of={cases} lines={6}>
        {(data) => (
          <>
            {data.items.length === 0 ? (
              <Empty why={state === 'all' ? 'No case is filed.' : `No case is ${state}.`} todo={<>File one from an alert: <a href={hrefTo('/alerts', { view: 'all' })}>Alerts</a>.</>} />
            ) : (
              <Panel title="Filed">
                <Rows of={data} />
              </Panel>
            )}
            {data.precision.length > 0 && (
              <Panel title="Precision">
                <PrecisionTable of={data.precision} />
              </Panel>
            )}
          </>
        )}
      </Answer>
    </>
  );
}

function Rows({ of }: { of: CaseList }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="table">
      <table class="stacked">
        <thead>
          <tr>
            <th scope="col">filed</th>
            <th scope="col">what</th>
            <th scope="col">market</th>
            <th scope="col">state</th>
            <th scope="col">by</th>
          </tr>
        </thead>
        <tbody>
          {of.items.map((row) => (
            <tr key={row.case_id} data-row tabIndex={0}>
              <td class="when muted">
                <Time at={row.filed_at} />
              </td>
              <td>
                <Severity of={row.severity} /> <a href={hrefTo('/cases', { case: row.case_id })}>{row.title}</a>
              </td>
              <td data-name="market">{row.markets.join(', ')}</td>
              <td data-name="state">{stateText(row.state, row.disposition)}</td>
              <td data-name="by">{row.by}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {of.more && <p class="muted small">The newest {of.items.length} are shown.</p>}
    </div>
  );
}
