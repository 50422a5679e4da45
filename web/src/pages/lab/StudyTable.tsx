// Every study in a line: what was predicted of which market, what the control says, and its best model.
import type { JSX } from 'preact';
import type { LabStudies, LabStudy } from '../../api/types';
import { count, plain } from '../../format/number';
import { hrefTo } from '../../state/place';
import { Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { TableHead } from '../../ui/TableHead';
import { Time } from '../../ui/Time';
import { bestText, controlOf, runOf, targetText } from './words';

export function StudyTable({ data }: { data: LabStudies }): JSX.Element {
  const unread = Object.entries(data.unread);
  return (
    <>
      {data.studies.length === 0 && unread.length === 0 ? (
        <Empty why={data.folder === '' ? 'This process reads no studies.' : `There is no study in ${data.folder}.`} todo={<HowTo />} />
      ) : (
        <Panel title="Studies" id="studies" aside={<span>{data.folder}</span>}>
          {data.studies.length > 0 && <Lines studies={data.studies} />}
          {unread.map(([study, why]) => (
            <p key={study} class="failed">
              The board of {study} cannot be read: {why}.
            </p>
          ))}
        </Panel>
      )}
    </>
  );
}

/** From a recording to a board. */
export function HowTo(): JSX.Element {
  return (
    <>
      Put a recording into the lake with <code>barograph lab dataset BTCUSDT --source FILE</code>, then fit and score every model with <code>barograph lab train BTCUSDT --target dir_5s</code>. The study is
      shown here when it is done. With its defaults it takes a recording of some six hours.
    </>
  );
}

function Lines({ studies }: { studies: readonly LabStudy[] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="studies">
      <table class="stacked" data-testid="lab-studies">
        <TableHead
          of={[
            { name: 'study' },
            { name: 'control', title: 'models on permuted labels must rank rows like chance' },
            { name: 'best model' },
            { name: 'rows', title: 'with a label', num: true },
            { name: 'trials', title: 'configurations fitted', num: true },
            { name: 'data until' },
            { name: 'made' },
          ]}
        />
        <tbody>
          {studies.map((study) => {
            const control = controlOf(study);
            return (
              <tr key={study.study} data-row tabIndex={0}>
                <th scope="row">
                  <a href={hrefTo('/lab', { study: study.study })}>
                    {study.target} of {study.market}
                  </a>
                  <span class="event-id muted">{[targetText(study), runOf(study)].filter((text) => text !== '').join(', ')}</span>
                </th>
                <td data-name="control">
                  <span class={`tone-${control.tone}`}>{control.word}</span>
                </td>
                <td data-name="best model">{bestText(study)}</td>
                <td class="num" data-name="rows">{plain(study.labelled, 9)}</td>
                <td class="num" data-name="trials">{plain(study.trials, 9)}</td>
                <td data-name="data until">{study.span === null ? '–' : <Time at={study.span[1]} />}</td>
                <td data-name="made">{study.made_at === null ? '–' : <Time at={study.made_at} />}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p class="muted small">{count(studies.length, 'study', 'studies')}. The same models, judged on the same rows within a study; boards of different studies are not to be compared.</p>
    </div>
  );
}
