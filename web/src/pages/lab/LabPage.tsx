// Studies of the lab: which models were fitted on recorded rows, and how they did on rows they had not seen. Which study is shown
// stands in the address, and of which model and class.
import type { JSX } from 'preact';
import { useComputed } from '@preact/signals';
import { withQuery } from '../../api/client';
import { useResource } from '../../api/resource';
import type { LabStudies, LabStudyView } from '../../api/types';
import { MINUTE } from '../../format/time';
import { serverNow } from '../../state/clock';
import { hrefTo, place } from '../../state/place';
import { Answer } from '../../ui/Answer';
import { StudyDetails } from './StudyDetails';
import { StudyTable } from './StudyTable';

/** Another process writes studies, and one takes minutes. */
const AGAIN_MS = MINUTE;

export function LabPage(): JSX.Element {
  const chosen = place.value.params['study'] ?? null;
  return (
    <>
      <h1>Lab</h1>
      <p class="measure muted">
        Models fitted on recorded order books and trades, each judged on later rows that it had not seen. Nothing here feeds the labels, the posture or the alerts of the other pages. Language models that forecast are examined in sessions of their own: <a href={hrefTo('/agents')}>Agents</a>.
      </p>
      {chosen === null ? <All /> : <One key={chosen} study={chosen} />}
    </>
  );
}

function All(): JSX.Element {
  const turn = useComputed(() => Math.floor(serverNow.value / AGAIN_MS));
  const found = useResource<LabStudies>('/api/v1/studies', { on: turn.value });
  return (
    <Answer of={found} lines={8}>
      {(data) => <StudyTable data={data} />}
    </Answer>
  );
}

function One({ study }: { study: string }): JSX.Element {
  const turn = useComputed(() => Math.floor(serverNow.value / AGAIN_MS));
  const found = useResource<LabStudyView>(withQuery('/api/v1/study', { study }), { on: turn.value });
  return (
    <>
      <p>
        <a href={hrefTo('/lab')}>All studies</a>
      </p>
      <Answer of={found} lines={12}>
        {(data) => <StudyDetails data={data} />}
      </Answer>
    </>
  );
}
