// The time machine under everything: a slider over the stored stretch. Wherever it stands, every part of the page shows what was
// known then, and the address says so. While it moves the history gets no entry; letting go makes one.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useResource } from '../api/resource';
import { noteReach, stored } from '../board/store';
import type { Board } from '../contract';
import { DAY, HOUR, MINUTE, iso, local, localDay, utc, zone } from '../format/time';
import { fieldOf, momentAt, moved, stepOf, stepsIn, stretchOf } from '../state/machine';
import type { Stretch } from '../state/machine';
import { asOf, setParams } from '../state/place';

const JUMPS = [
  [-DAY, '−1 d'],
  [-HOUR, '−1 h'],
  [-MINUTE, '−1 min'],
  [MINUTE, '+1 min'],
  [HOUR, '+1 h'],
  [DAY, '+1 d'],
] as const;
/** A hand on the slider passes hundreds of minutes a second; the server is asked for the one it rests at. */
const REST_MS = 180;

export function TimeMachine(): JSX.Element | null {
  const stretch = stretchOf(stored.value);
  // The stream brings the stretch; who comes by a link into the past has no stream, and asks once.
  const board = useResource<Board>(stretch === null && asOf.value !== null ? '/api/v1/board' : null);
  useEffect(() => {
    if (board.data !== null) noteReach(board.data);
  }, [board.data]);
  return stretch === null ? null : <Machine stretch={stretch} />;
}

function Machine({ stretch }: { stretch: Stretch }): JSX.Element {
  const past = asOf.value === null ? null : Date.parse(asOf.value);
  const settled = stepOf(stretch, past);
  const [step, setStep] = useState(settled);
  const rest = useRef(0);
  useEffect(() => setStep(settled), [settled]);

  const slide = (next: number): void => {
    setStep(next);
    window.clearTimeout(rest.current);
    rest.current = window.setTimeout(() => setParams({ as_of: momentAt(stretch, next) }), REST_MS);
  };
  const settle = (next: number): void => {
    window.clearTimeout(rest.current);
    const moment = momentAt(stretch, next);
    if (moment !== asOf.peek()) setParams({ as_of: moment }, false);
  };
  const moment = momentAt(stretch, step);
  const shown = moment === null ? stretch.to : Date.parse(moment);
  const spoken = moment === null ? 'now' : `${local(shown / 1000, 0)} ${zone(shown)}`;

  return (
    <section class={`machine ${asOf.value === null ? '' : 'past'}`} aria-label="time machine">
      <div class="machine-row">
        <strong>
          Time machine <kbd>t</kbd>
        </strong>
        <output class="num" title={utc(shown / 1000)} data-testid="machine-moment">
          {spoken}
        </output>
        <span class="jumps">
          {JUMPS.map(([by, text]) => (
            <button key={text} type="button" class="plain num" onClick={() => setParams({ as_of: moved(stretch, past, by) }, false)} disabled={past === null && by > 0}>
              {text}
            </button>
          ))}
          <button type="button" class="plain" onClick={() => setParams({ as_of: null }, false)} disabled={past === null}>
            Now
          </button>
        </span>
        <label class="machine-field">
          <span class="unseen">go to a local time</span>
          <input
            type="datetime-local"
            value={fieldOf(shown)}
            min={fieldOf(stretch.from)}
            max={fieldOf(stretch.to)}
            onChange={(event) => {
              const ms = Date.parse(event.currentTarget.value);
              if (Number.isFinite(ms)) setParams({ as_of: ms >= stretch.to ? null : iso(ms) }, false);
            }}
          />
        </label>
      </div>
      <input
        type="range"
        data-time-machine
        aria-label="moment shown"
        aria-valuetext={spoken}
        min={0}
        max={stepsIn(stretch)}
        step={1}
        value={step}
        onInput={(event) => slide(Number(event.currentTarget.value))}
        onChange={(event) => settle(Number(event.currentTarget.value))}
      />
      <div class="machine-ends muted num">
        <span>{localDay(stretch.from)}</span>
        <span>{localDay(stretch.to)}</span>
      </div>
    </section>
  );
}
