// One session: what it was about, how much was asked, and what its forecasts were worth.
import type { JSX } from 'preact';
import type { SessionReport, SessionScore } from '../../api/types';
import { count, fixed, percent } from '../../format/number';
import { Empty } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { TableHead } from '../../ui/TableHead';
import { Time } from '../../ui/Time';
import { REFERENCES, againstText, lead, unresolvedText } from './words';

export function SessionDetails({ of }: { of: SessionReport }): JSX.Element {
  const { basis } = of;
  return (
    <>
      <Panel title={basis.agent} id="session">
        <p>{lead(of)}</p>
        <dl class="facts">
          <dt>Span</dt>
          <dd class="num">
            <Time at={basis.from} /> to <Time at={basis.until} />
          </dd>
          <dt>Masked</dt>
          <dd>{basis.mask === undefined || basis.mask === null ? 'no: the agent saw names, prices and dates' : `yes, seed ${basis.mask.seed}: the agent saw no name, no price and no date as it was`}</dd>
          <dt>Calls</dt>
          <dd class="num">
            {of.calls}, {of.errors} of them refused
          </dd>
          <dt>Tokens served</dt>
          <dd class="num">{of.tokens}</dd>
          <dt>Forecasts</dt>
          <dd class="num">
            {of.forecasts}
            {unresolvedText(of)}
          </dd>
          <dt>Transcript</dt>
          <dd>
            <code class="digest">{of.transcript}</code>
          </dd>
          <dt>Program</dt>
          <dd>{basis.version}</dd>
        </dl>
        {!of.is_same_data && <p class="note">The stored data have changed since this session; outcomes may differ.</p>}
      </Panel>
      {of.scores.length === 0 ? <Empty why="No forecast has an outcome." todo="Skill is shown once the ledger has resolved the same cases." /> : <Scores of={of.scores} />}
    </>
  );
}

function Scores({ of }: { of: readonly SessionScore[] }): JSX.Element {
  return (
    <Panel title="Forecast scores" id="scores">
      <div class="scroll" tabIndex={0} role="group" aria-label="table">
        <table class="stacked" data-testid="session-scores">
          <TableHead
            of={[
              { name: 'event' },
              { name: 'cases', title: 'forecasts with an outcome; in brackets those whose windows do not overlap', num: true },
              { name: 'happened', title: 'share of the cases in which it happened', num: true },
              { name: 'Brier', title: 'mean squared error of the probability; 0 is perfect', num: true },
              { name: 'log score', title: 'mean negative log likelihood, nats; 0 is perfect', num: true },
              ...REFERENCES.map((reference) => ({ name: `skill against ${reference.name}`, title: `${reference.title}, with its 90 % band`, num: true })),
            ]}
          />
          <tbody>
            {of.map((score) => (
              <tr key={score.event} data-row tabIndex={0}>
                <th scope="row">
                  <code>{score.event}</code>
                </th>
                <td class="num" data-name="cases" title={count(score.n_eff, 'separate window')}>
                  {score.n} ({score.n_eff})
                </td>
                <td class="num" data-name="happened">{percent(score.base_rate)}</td>
                <td class="num" data-name="Brier">{fixed(score.brier, 4)}</td>
                <td class="num" data-name="log score">{fixed(score.log_score, 4)}</td>
                {REFERENCES.map((reference) => (
                  <td key={reference.name} class="num" data-name={`skill against ${reference.name}`}>
                    {againstText(score.against[reference.name])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted small">Skill above zero beats the reference on the same cases. Where the band includes zero, no skill is shown.</p>
    </Panel>
  );
}
