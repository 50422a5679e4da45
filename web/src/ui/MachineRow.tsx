// What moves the time machine wherever it stands: play and its speed, steps by bar where there is a chart, jumps, the moment itself.
import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { DAY, HOUR, MINUTE, iso, local, utc, zone } from '../format/time';
import { barsOn, fieldOf, momentOfField, moved } from '../state/machine';
import type { Stretch } from '../state/machine';
import { hand, leap, momentShown, step } from '../state/moment';
import { asOf } from '../state/place';
import { SPEEDS, clock, pause, play, playing, speed } from '../state/play';
import type { Speed } from '../state/play';
import { Icon } from './Icon';
import { choice } from '../state/choice';

const lastSpeed = choice<Speed>('speed', (stored) => SPEEDS.find((s) => s === stored) ?? 60);

interface Props {
  stretch: Stretch;
  /** Seconds of a bar, where there is a chart to step on. */
  bar?: number;
}

export function MachineRow({ stretch, bar }: Props): JSX.Element {
  const past = asOf.value === null ? null : Date.parse(asOf.value);
  const jumps = [
    [-DAY, '−1 d'],
    [-HOUR, '−1 h'],
    ...(bar === undefined ? ([[-MINUTE, '−1 min'], [MINUTE, '+1 min']] as const) : []),
    [HOUR, '+1 h'],
    [DAY, '+1 d'],
  ] as const;
  const bars = (by: number): void => {
    const next = barsOn(past ?? stretch.to, by, bar ?? 60);
    step(next >= stretch.to ? null : iso(Math.max(stretch.from, next)));
  };
  const shown = past ?? stretch.to;
  return (
    <div class="machine-row">
      <strong class="machine-name">
        Time machine <kbd>t</kbd>
      </strong>
      <PlayButton />
      {bar !== undefined && (
        <span class="steps">
          <button type="button" class="icon" aria-label="one bar back" title="one bar back" onClick={() => bars(-1)}>
            <Icon name="back" />
          </button>
          <button type="button" class="icon" aria-label="one bar forward" title="one bar forward" onClick={() => bars(1)} disabled={past === null}>
            <Icon name="on" />
          </button>
        </span>
      )}
      <Clock stretch={stretch} />
      <span class="jumps">
        {jumps.map(([by, text]) => (
          <button key={text} type="button" class="plain num" onClick={() => step(moved(stretch, past, by))} disabled={past === null && by > 0}>
            {text}
          </button>
        ))}
        <button type="button" class="plain" onClick={() => leap(null)} disabled={past === null}>
          Now
        </button>
      </span>
      <span class="machine-field">
        <label>
          <span class="unseen">go to a time in the chosen zone</span>
          <input
            type="datetime-local"
            value={fieldOf(shown)}
            min={fieldOf(stretch.from)}
            max={fieldOf(stretch.to)}
            onChange={(event) => {
              const ms = momentOfField(event.currentTarget.value);
              if (ms !== null) leap(ms >= stretch.to ? null : iso(ms));
            }}
          />
        </label>
      </span>
    </div>
  );
}

function PlayButton(): JSX.Element {
  const runs = playing.value;
  const chosen = runs ? (speed.value as Speed) : lastSpeed.value.value;
  return (
    <span class="play" role="group" aria-label="play recorded time">
      <button type="button" class="with-icon" data-play data-testid="play" onClick={() => (runs ? pause() : play(chosen))}>
        <Icon name={runs ? 'pause' : 'play'} />
        {runs ? 'Pause' : 'Play'}
      </button>
      <span class="choice" role="group" aria-label="speed">
        {SPEEDS.map((s) => (
          <button
            key={s}
            type="button"
            class="num"
            aria-pressed={s === chosen}
            title={s === 1 ? 'as it happened' : `${s} seconds of recorded time a second`}
            onClick={() => {
              lastSpeed.set(s);
              if (runs) play(s);
            }}
          >
            {s}×
          </button>
        ))}
      </span>
    </span>
  );
}

/** The moment, as text that moves with every frame without anything being drawn again around it. */
function Clock({ stretch }: { stretch: Stretch }): JSX.Element {
  const text = useComputed(() => {
    const at = momentShown.value;
    if (at === null) return 'now';
    const seconds = clock.value !== null && hand.value === null ? `:${String(Math.floor(at / 1_000) % 60).padStart(2, '0')}` : '';
    return `${local(at / 1_000, 0)}${seconds} ${zone(at)}`;
  });
  const past = asOf.value === null ? stretch.to : Date.parse(asOf.value);
  return (
    <span class={`moment${asOf.value === null ? '' : ' past'}`}>
      {playing.value && <span class="replay">replay {speed.value}×</span>}
      <output class="num" title={utc(past / 1_000)} data-testid="machine-moment">
        {text}
      </output>
    </span>
  );
}
