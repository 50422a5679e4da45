// The time machine under everything: a slider over the stored stretch. Wherever it stands, every part of the page shows what was
// known then, and the address says so. While it moves the history gets no entry; letting go makes one.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { MarketList } from '../api/types';
import { useResource } from '../api/resource';
import { DAY, HOUR, MINUTE, iso, local, localDay, utc, zone } from '../format/time';
import { fieldOf, momentAt, moved, stepOf, stepsIn, stretchOf } from '../state/machine';
import type { Stretch } from '../state/machine';
import { asOf, route, setParams } from '../state/place';

const JUMPS = [
  [-DAY, '−1 d'],
  [-HOUR, '−1 h'],
  [-MINUTE, '−1 min'],
  [MINUTE, '+1 min'],
  [HOUR, '+1 h'],
  [DAY, '+1 d'],
] as const;
/** The stretch grows with the market; who reaches for the slider gets its end anew, but not more often than this. */
const FRESH_MS = 60_000;
/** A hand on the slider passes hundreds of minutes a second; the server is asked for the one it rests at. */
const REST_MS = 180;

export function TimeMachine(): JSX.Element | null {
  const markets = useResource<MarketList>('/api/v1/markets?limit=1000');
  const asked = useRef(Date.now());
  const at = route.value;
  const all = markets.data?.items ?? [];
  const own = at.page === 'market' ? all.filter((m) => m.instrument === at.instrument) : all;
  const stretch = stretchOf(own.length > 0 ? own : all);
  if (stretch === null) return null;
  const freshen = (): void => {
    if (Date.now() - asked.current < FRESH_MS) return;
    asked.current = Date.now();
    markets.reload();
  };
  return <Machine stretch={stretch} touched={freshen} />;
}

function Machine({ stretch, touched }: { stretch: Stretch; touched: () => void }): JSX.Element {
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
    <section class={`machine ${asOf.value === null ? '' : 'past'}`} aria-label="time machine" onFocusCapture={touched} onPointerEnter={touched}>
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
