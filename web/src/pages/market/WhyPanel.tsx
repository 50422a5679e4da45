// Why: the explanation of the snapshot. First in words, then each rule with its conditions as bars towards their thresholds, and
// what would turn the label, in words.
import type { JSX } from 'preact';
import { useResource } from '../../api/resource';
import type { Resource } from '../../api/resource';
import type { Catalogue, RuleTrace, Snapshot } from '../../api/types';
import { AXES, toneOf } from '../../board/axes';
import type { Axis } from '../../contract';
import { said, saidWithin } from '../../format/labels';
import { fixed, percent } from '../../format/number';
import { place, setParams } from '../../state/place';
import { Answer } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { Panel } from '../../ui/Panel';
import { Sign } from '../../ui/Sign';
import { TellMe } from '../../ui/TellMe';
import { Clause } from './Clause';
import { flipText, speechOf } from './words';
import type { Speech } from './words';

export function WhyPanel({ of }: { of: Resource<Snapshot> }): JSX.Element {
  return (
    <Panel title="Why" class="why">
      <Answer of={of} lines={8}>
        {(snapshot) => <Why snapshot={snapshot} />}
      </Answer>
    </Panel>
  );
}

function Why({ snapshot }: { snapshot: Snapshot }): JSX.Element {
  const catalogue = useResource<Catalogue>('/api/v1/catalogue');
  const names = new Map((catalogue.data?.items ?? []).map((entry) => [entry.id, entry.spoken]));
  const speech = speechOf(snapshot, names);
  const wished = place.value.params['axis'];
  const axis: Axis = AXES.find((a) => a === wished) ?? 'risk';
  const { explanation, guidance } = snapshot;
  const rules = explanation.trace.filter((rule) => rule.axis === axis);
  return (
    <>
      <p class="reasoning" data-testid="reasoning">
        {explanation.reasoning}
      </p>
      {explanation.freshness_warning !== null && snapshot.recorded_until == null && <p class="tone-red">{explanation.freshness_warning}</p>}
      <dl class="facts">
        <dt>New entries</dt>
        <dd>{guidance.new_entries}</dd>
        <dt>Open positions</dt>
        <dd>{guidance.open_positions}</dd>
      </dl>
      <Choice name="axis" options={AXES.map((a) => [a, a] as const)} value={axis} choose={(next) => setParams({ axis: next === 'risk' ? null : next })} />
      <Turns snapshot={snapshot} axis={axis} speech={speech} />
      <ul class="rules">
        {[...rules].sort((a, b) => order(a) - order(b)).map((rule) => (
          <Rule key={rule.id} rule={rule} snapshot={snapshot} speech={speech} held={snapshot.regimes[axis].label === rule.label} />
        ))}
      </ul>
    </>
  );
}

/** Rules that fired first, then those nearest to it. */
function order(rule: RuleTrace): number {
  return (rule.result === 'true' ? -1e6 : 0) - (rule.margin ?? -1e5);
}

function Turns({ snapshot, axis, speech }: { snapshot: Snapshot; axis: Axis; speech: Speech }): JSX.Element {
  const { nearest_exit: exit, nearest_flip: flip, label } = snapshot.regimes[axis];
  // Nothing turns any more in a recording that has ended.
  const goesOn = snapshot.recorded_until == null;
  if (exit === null && flip === null) return <p class="muted">No single number would change {saidWithin(axis, label)} by itself.</p>;
  const same = exit !== null && flip !== null && exit.needed === flip.needed && exit.label === flip.label;
  return (
    <dl class="turns">
      {exit !== null && (
        <>
          <dt>{said(axis, label)} turns to</dt>
          <dd>
            {flipText(exit, speech, axis)} {goesOn && <TellMe key={axis} instrument={snapshot.instrument} when={`${axis} leaves ${label}`} />}
          </dd>
        </>
      )}
      {flip !== null && !same && (
        <>
          <dt>the latest reading would change to</dt>
          <dd>
            {flipText(flip, speech, axis)} {goesOn && <TellMe instrument={snapshot.instrument} when={`${flip.feature} ${flip.direction === 'above' ? 'above' : 'below'} ${Number(flip.needed.toPrecision(9))}`} text="Tell me when it does" />}
          </dd>
        </>
      )}
    </dl>
  );
}

function Rule({ rule, snapshot, speech, held }: { rule: RuleTrace; snapshot: Snapshot; speech: Speech; held: boolean }): JSX.Element {
  const axis = rule.axis as Axis;
  const features = snapshot.explanation.features;
  return (
    <li class={`rule ${rule.result}`}>
      <details open={held || rule.result === 'true' || (rule.margin ?? -9) > -1}>
        <summary>
          <span class={`label tone-${rule.result === 'true' ? toneOf(axis, rule.label) : 'none'}`} title={rule.id}>
            <Sign axis={axis} label={rule.label} /> <b>{said(axis, rule.label)}</b>
            {rule.id !== rule.label && <span class="muted small"> {rule.id.replaceAll('_', ' ').toLowerCase()}</span>}
          </span>
          <span class="muted num" title={rule.margin === null ? undefined : `margin ${fixed(rule.margin, 1)}`}>
            {rule.result === 'true' ? 'fires' : rule.result === 'false' ? 'does not fire' : 'cannot be judged'}
            {rule.held_share_90d === null ? '' : `, active ${percent(rule.held_share_90d, 1)} of 90 d`}
          </span>
        </summary>
        <ul class="clauses">
          {rule.clauses.map((clause, at) => (
            <>
              {clause.group !== null && clause.group !== rule.clauses[at - 1]?.group && <li class="any muted">any of</li>}
              <Clause key={at} clause={clause} feature={features[clause.feature]} speech={speech} />
            </>
          ))}
        </ul>
      </details>
    </li>
  );
}
