// One case: what was measured, the books and trades around it, what people wrote, and what came of it.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { send } from '../../api/client';
import { useResource } from '../../api/resource';
import { caller, mayOperate } from '../../api/session';
import type { CaseAlert, CaseView, Disposition } from '../../api/types';
import { plain } from '../../format/number';
import { hrefTo } from '../../state/place';
import { marketPath } from '../../state/url';
import { Answer, Refused } from '../../ui/Answer';
import { MayNot } from '../../ui/Operate';
import { Panel } from '../../ui/Panel';
import { Severity } from '../../ui/Severity';
import { Time } from '../../ui/Time';
import { OutcomeTable } from '../alerts/OutcomeTable';
import { Statistics } from '../alerts/Statistics';
import { useNames } from '../alerts/names';
import type { Names } from '../alerts/names';
import { PrecisionTable } from './PrecisionTable';
import { Replay } from './Replay';
import { entryText, stateText } from './words';

export function OneCase({ id }: { id: string }): JSX.Element {
  const path = `/api/v1/cases/${encodeURIComponent(id)}`;
  const found = useResource<CaseView>(path);
  const names = useNames();
  return (
    <Answer of={found} lines={12}>
      {(data) => (
        <>
          <div class="market-title">
            <h1>{data.title}</h1>
            <p class="case-state" data-testid="case-state">
              <b>{stateText(data.state, data.disposition)}</b> <span class="muted">since <Time at={data.since} /> by {data.by}</span>
            </p>
          </div>
          <p class="links no-print">
            <a href={hrefTo('/cases')}>All cases</a>
            <a href={`${path}/export?format=html`} target="_blank" rel="noreferrer">Page to print</a>
            <a href={`${path}/export?format=json`} download={`case-${id}.json`}>JSON with attachments</a>
          </p>
          {data.alerts.map((alert) => (
            <Facts key={alert.alert_id} alert={alert} names={names} />
          ))}
          <Replay path={`${path}/replay`} alerts={data.alerts} />
          <Entries of={data} path={path} done={found.reload} />
          <Panel title="Precision">
            <PrecisionTable of={data.precision} />
          </Panel>
          {data.similar.length > 0 && (
            <Panel title="Similar cases">
              <Similar of={data.similar} />
            </Panel>
          )}
          <Panel title="Attachments">
            <ul class="digests small">
              {data.attachments.map((one) => (
                <li key={one.name}>
                  <code>{one.name}</code> <span class="muted">{one.bytes} bytes, SHA-256</span> <code>{one.sha256}</code>
                </li>
              ))}
            </ul>
          </Panel>
        </>
      )}
    </Answer>
  );
}

function Similar({ of }: { of: CaseView['similar'] }): JSX.Element {
  const rows = of.map((one) => ({
    key: one.case_id,
    head: (
      <>
        <a href={hrefTo('/cases', { case: one.case_id })}>{one.title}</a>{' '}
        <span class="muted">
          {one.instrument}, {stateText(one.state, one.disposition).toLowerCase()}, alert of{' '}
          <a href={hrefTo(marketPath(one.instrument), { as_of: one.opened_at })}>
            <Time at={one.opened_at} />
          </a>
        </span>
      </>
    ),
    of: one.outcome ?? null,
  }));
  return <OutcomeTable title="case, and what followed" rows={rows} note="Closed cases with a pattern in common, the nearest score first; what came after an alert need not have come of it." />;
}

function Facts({ alert, names }: { alert: CaseAlert; names: Names }): JSX.Element {
  return (
    <Panel title={alert.title} id={`alert-${alert.alert_id}`} aside={<Severity of={alert.severity} />}>
      <p>{alert.description}</p>
      <dl class="facts">
        <dt>Who</dt>
        <dd>Unknown: public market data name no accounts.</dd>
        <dt>Market</dt>
        <dd>
          {alert.instrument} <a href={alert.page}>at that moment</a>
        </dd>
        <dt>When</dt>
        <dd class="num">
          <Time at={alert.opened_at} />
          {alert.closed_at === null ? ', not over when the case was filed' : <> to <Time at={alert.closed_at} /></>}
        </dd>
        <dt>How often</dt>
        <dd class="num">{alert.base_rate.per_day_30d === null ? 'not known yet' : `${plain(alert.base_rate.per_day_30d, 2)} a day here over 30 days`}</dd>
      </dl>
      <Statistics statistics={alert.statistics} names={names} />
      {alert.limits.length > 0 && <p class="muted small">{alert.limits.join(' ')}</p>}
    </Panel>
  );
}

function Entries({ of, path, done }: { of: CaseView; path: string; done: () => void }): JSX.Element {
  return (
    <Panel title="Entries">
      <ol class="entries">
        {of.entries.map((entry) => (
          <li key={entry.seq}>
            <span class="muted num">
              <Time at={entry.at} />
            </span>{' '}
            <b>{entry.author}</b> {entryText(entry)}
            {entry.note !== null && <p class="entry-note">{entry.note}</p>}
          </li>
        ))}
      </ol>
      {mayOperate.value ? <Write of={of} path={path} done={done} /> : <MayNot what="write into cases" />}
    </Panel>
  );
}

const DISPOSITIONS: readonly (readonly [Disposition, string])[] = [
  ['true', 'Close as true'],
  ['false', 'Close as false'],
  ['unclear', 'Close as unclear'],
];

function Write({ of, path, done }: { of: CaseView; path: string; done: () => void }): JSX.Element {
  const [author, setAuthor] = useState(caller.peek()?.name ?? '');
  const [note, setNote] = useState('');
  const action = useAction();
  const write = async (kind: 'note' | 'acknowledged' | 'closed', disposition: Disposition | null = null): Promise<void> => {
    const entry = { kind, author, note: note.trim() === '' ? null : note, disposition };
    if (!(await action.run(() => send('POST', `${path}/entries`, entry)))) return;
    setNote('');
    done();
  };
  const nobody = author.trim() === '';
  return (
    <form
      class="no-print"
      onSubmit={(event) => {
        event.preventDefault();
        void write('note');
      }}
    >
      <div class="fields">
        <label class="field">
          <span>Your name</span>
          <input required value={author} autocomplete="name" onInput={(e) => setAuthor(e.currentTarget.value)} />
        </label>
        <label class="field wide">
          <span>Note</span>
          <textarea rows={2} maxLength={4000} value={note} onInput={(e) => setNote(e.currentTarget.value)} />
        </label>
      </div>
      <p class="trade-buttons">
        <button type="submit" disabled={action.busy || nobody || note.trim() === ''}>
          Add note
        </button>
        {of.state === 'open' && (
          <button type="button" class="plain" disabled={action.busy || nobody} onClick={() => void write('acknowledged')}>
            Acknowledge
          </button>
        )}
        {DISPOSITIONS.map(([disposition, text]) => (
          <button key={disposition} type="button" class="plain" aria-pressed={of.disposition === disposition} disabled={action.busy || nobody} onClick={() => void write('closed', disposition)}>
            {text}
          </button>
        ))}
      </p>
      <Refused error={action.error} />
    </form>
  );
}
