// The books and trades around an alert, one step after the other: a ladder, and the tape up to its moment. Arrow keys step.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useResource } from '../../api/resource';
import type { BookStep, CaseAlert, CaseRecording, CaseReplay } from '../../api/types';
import { exact } from '../../format/number';
import { Answer } from '../../ui/Answer';
import { Panel } from '../../ui/Panel';
import { Time } from '../../ui/Time';
import { decimalsIn, firstStep, leftOut, offsetText, stepsOf, tapeAt, widest } from './steps';

export function Replay({ path, alerts }: { path: string; alerts: CaseAlert[] }): JSX.Element {
  const replay = useResource<CaseReplay>(path);
  return (
    <Panel title="Books and trades">
      <Answer of={replay} lines={10}>
        {(data) => (
          <>
            {data.items.map((recording) => (
              <Stepper key={`${recording.alert_id} ${recording.source} ${recording.until}`} of={recording} title={alerts.find((a) => a.alert_id === recording.alert_id)?.title ?? ''} />
            ))}
            {data.missing.map((why) => (
              <p key={why} class="muted">
                {why.charAt(0).toUpperCase() + why.slice(1)}
              </p>
            ))}
          </>
        )}
      </Answer>
    </Panel>
  );
}

function Stepper({ of, title }: { of: CaseRecording; title: string }): JSX.Element {
  const steps = stepsOf(of);
  const [at, setAt] = useState(firstStep(of));
  const last = steps.length - 1;
  const go = (to: number): void => setAt(Math.max(0, Math.min(last, to)));
  const KEYS: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
  const step = steps[at];
  const decimals = decimalsIn(of);
  if (step === undefined) return <p class="muted">Nothing of that stretch is recorded.</p>;
  return (
    <div
      class="stepper"
      role="group"
      aria-label={`replay: ${title}`}
      tabIndex={0}
      onKeyDown={(event) => {
        const to = KEYS[event.key];
        if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        event.stopPropagation();
        go(to);
      }}
    >
      <p class="stepper-head">
        <button type="button" class="plain no-print" disabled={at === 0} onClick={() => go(at - 1)} aria-label="step back">
          ←
        </button>{' '}
        <span class="num" role="status" data-testid="step">
          step {at + 1} of {steps.length}, {offsetText(step.at, of.moment)}
        </span>{' '}
        <button type="button" class="plain no-print" disabled={at === last} onClick={() => go(at + 1)} aria-label="step on">
          →
        </button>{' '}
        <span class="muted num">
          <Time at={step.at} />
        </span>
      </p>
      <div class="stepper-body">
        {step.book === null ? <p class="muted">No book was recorded yet at this moment.</p> : <Ladder book={step.book} decimals={decimals} />}
        <Tape of={of} until={step.at} decimals={decimals} />
      </div>
      <p class="muted small">
        {of.source === 'journal' ? 'Rebuilt from the messages that were received.' : 'As the store has them: of a live market one of each minute, not every change.'}
        {` ${leftOut(of)}`}
      </p>
    </div>
  );
}

type Decimals = ReturnType<typeof decimalsIn>;

function Ladder({ book, decimals }: { book: BookStep; decimals: Decimals }): JSX.Element {
  const most = widest(book);
  const side = (levels: BookStep['bids'], name: 'bid' | 'ask'): JSX.Element[] =>
    levels.map((level) => (
      <tr key={`${name}${level.price}`} class={`ladder-${name}`}>
        <th scope="row" class="num">{exact(level.price, decimals.price)}</th>
        <td class="num">{exact(level.qty, decimals.qty)}</td>
        <td class="ladder-bar" aria-hidden="true">
          <span style={{ width: `${(100 * level.qty) / most}%` }} />
        </td>
      </tr>
    ));
  return (
    <table class="ladder compact" data-testid="ladder">
      <caption class="muted small">Best ten of each side: asks above, bids below</caption>
      <tbody>
        {side([...book.asks].reverse(), 'ask')}
        {side(book.bids, 'bid')}
      </tbody>
    </table>
  );
}

function Tape({ of, until, decimals }: { of: CaseRecording; until: string; decimals: Decimals }): JSX.Element {
  const shown = tapeAt(of, until);
  if (shown.length === 0) return <p class="muted">No trade up to this moment.</p>;
  return (
    <table class="tape compact" data-testid="tape">
      <caption class="muted small">Trades up to this moment, the newest first</caption>
      <tbody>
        {shown.map((trade, n) => (
          <tr key={`${trade.at}${n}`}>
            <td class="num muted">{offsetText(trade.at, of.moment)}</td>
            <td>{trade.aggressor_side === null ? 'traded' : trade.aggressor_side === 'long' ? 'buyer took' : 'seller took'}</td>
            <td class="num">{exact(trade.qty, decimals.qty)}</td>
            <td class="num">{exact(trade.price, decimals.price)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
