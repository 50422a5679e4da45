// Watches: a form for a new one, those that go on with where they stand, and what came true.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action';
import { mayOperate } from '../../api/session';
import type { WatchView, Watches } from '../../contract';
import { askToNotify, popups } from '../../state/notify';
import { asOf, hrefTo, place } from '../../state/place';
import { marketPath } from '../../state/url';
import { removeWatch, turns, watches } from '../../state/watches';
import { Empty, Refused, Skeleton, sentence } from '../../ui/Answer';
import { MayNot } from '../../ui/Operate';
import { Panel } from '../../ui/Panel';
import { Time } from '../../ui/Time';
import { WatchForm } from './WatchForm';

export function WatchesPanel(): JSX.Element {
  const list = watches.value;
  if (list === null) return <Panel title="Watches"><Skeleton lines={3} /></Panel>;
  return (
    <>
      {asOf.value === null && (
        <Panel title="Tell me when" aside={<ByBrowser />}>
          {!list.judged_here ? (
            <div class="note" data-testid="not-here">
              <p>
                <strong>Watches are judged by the process that listens to the venues.</strong> {list.why_not !== null && sentence(list.why_not)}
              </p>
            </div>
          ) : (
            mayOperate.value && <WatchForm market={place.value.params['market'] ?? ''} when={place.value.params['when'] ?? ''} />
          )}
          <MayNot what="make watches" />
        </Panel>
      )}
      <Going list={list} />
      <CameTrue list={list} />
    </>
  );
}

function ByBrowser(): JSX.Element {
  const [refused, setRefused] = useState(false);
  return (
    <label>
      <input type="checkbox" checked={popups.value} onChange={(e) => void askToNotify(e.currentTarget.checked).then((allowed) => setRefused(!allowed))} /> notify me in this browser
      {refused && <span class="failed small"> Blocked by this browser: see its settings for this site.</span>}
    </label>
  );
}

function Going({ list }: { list: Watches }): JSX.Element {
  const action = useAction();
  const going = list.items.filter(({ watch }) => watch.ended_at === null);
  return (
    <Panel title="Watches" aside={<span class="muted">{asOf.value === null ? `${going.length} of at most ${list.most}` : 'as they are now, not at the moment chosen'}</span>}>
      {going.length === 0 ? (
        <Empty why="Nothing is watched." todo="Press “Tell me when this turns” beside what would turn a label, on a market's page or in an alert; or use the form above." />
      ) : (
        <ul class="watches">
          {going.map((view) => (
            <Item key={view.watch.id} view={view} busy={action.busy} remove={list.judged_here && asOf.value === null && mayOperate.value ? () => void action.run(() => removeWatch(view.watch.id)) : null} />
          ))}
        </ul>
      )}
      <Refused error={action.error} />
    </Panel>
  );
}

function Item({ view: { watch, now, why_not_now: why }, busy, remove }: { view: WatchView; busy: boolean; remove: (() => void) | null }): JSX.Element {
  return (
    <li data-row tabIndex={0}>
      <span class="watch-what">
        <a href={hrefTo(marketPath(watch.instrument))}>{watch.instrument.split(':')[1] ?? watch.instrument}</a>{' '}
        <span class="muted small">{watch.instrument.split(':')[0]}</span> <b title={watch.when}>{watch.words}</b>
        {watch.note !== null && <span class="muted"> · {watch.note}</span>}
      </span>
      <span class="muted num">{now !== null ? `now ${now}` : why === null ? 'no reading yet' : `no reading: ${why}`}</span>
      <span class="muted small">
        {watch.repeat ? 'every time' : 'once'}
        {watch.turns > 0 && `, came true ${watch.turns}×`}
        {watch.to.length > 0 && `, to ${watch.to.join(', ')}`}, since <Time at={watch.created_at} />
      </span>
      {remove !== null && (
        <button type="button" class="plain" disabled={busy} onClick={remove} aria-label={`Remove: ${watch.words}`}>
          Remove
        </button>
      )}
    </li>
  );
}

function CameTrue({ list }: { list: Watches }): JSX.Element | null {
  const past = asOf.value === null ? null : Date.parse(asOf.value);
  const all = turns(list).filter(({ turn }) => past === null || Date.parse(turn.known_at) <= past);
  if (all.length === 0) return null;
  return (
    <Panel title="Came true">
      <ul class="watches">
        {all.slice(0, 50).map(({ watch, turn }) => (
          <li key={`${watch.id} ${turn.ts}`} data-row tabIndex={0}>
            <span class="watch-what">
              <a href={hrefTo(marketPath(watch.instrument), { as_of: turn.known_at.replace(/\.\d+Z$/, 'Z') })}>{watch.instrument.split(':')[1] ?? watch.instrument}</a> <b>{turn.title}</b>
            </span>
            <span class="muted num">
              <Time at={turn.ts} />
            </span>
            <span class="watch-text small">{turn.text}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
