// The time machine under every page without a chart: a slider over the stored stretch. Wherever it stands, every part of the page shows
// what was known then, and the address says so. Moving leaves one entry in the history. A page with a chart has it docked there.
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { useResource } from '../api/resource';
import { noteReach, stored } from '../board/store';
import type { Board } from '../contract';
import { local, localDay, zone } from '../format/time';
import { momentAt, stepOf, stepsIn, stretchOf } from '../state/machine';
import type { Stretch } from '../state/machine';
import { drag, drop, hand, momentShown, step } from '../state/moment';
import { asOf } from '../state/place';
import { MachineRow } from './MachineRow';

/** What is stored of all markets; `null` while that is not known, or nothing is. */
export function useStretch(): Stretch | null {
  const stretch = stretchOf(stored.value);
  // The stream brings the stretch; who comes by a link into the past has no stream, and asks once.
  const board = useResource<Board>(stretch === null && asOf.value !== null ? '/api/v1/board' : null);
  useEffect(() => {
    if (board.data !== null) noteReach(board.data);
  }, [board.data]);
  return stretch;
}

export function TimeMachine(): JSX.Element | null {
  const stretch = useStretch();
  return stretch === null ? null : <Machine stretch={stretch} />;
}

export function Machine({ stretch, bar }: { stretch: Stretch; bar?: number }): JSX.Element {
  return (
    <section class={`machine ${asOf.value === null ? '' : 'past'}`} aria-label="time machine">
      <MachineRow stretch={stretch} bar={bar} />
      <Slider stretch={stretch} />
      <div class="machine-ends muted num">
        <span>{localDay(stretch.from)}</span>
        <span>{localDay(stretch.to)}</span>
      </div>
    </section>
  );
}

function Slider({ stretch }: { stretch: Stretch }): JSX.Element {
  const at = stepOf(stretch, momentShown.value);
  const moment = momentAt(stretch, at);
  const shown = moment === null ? stretch.to : Date.parse(moment);
  const momentOf = (input: HTMLInputElement): string | null => momentAt(stretch, Number(input.value));
  return (
    <input
      type="range"
      data-time-machine
      aria-label="moment shown"
      aria-valuetext={moment === null ? 'now' : `${local(shown / 1000, 0)} ${zone(shown)}`}
      min={0}
      max={stepsIn(stretch)}
      step={1}
      value={at}
      onInput={(event) => {
        const input = event.currentTarget;
        drag(stretch.from + Number(input.value) * 60_000, momentOf(input));
      }}
      onChange={(event) => drop(momentOf(event.currentTarget))}
      onKeyDown={(event) => {
        if (!['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'].includes(event.key)) return;
        event.preventDefault();
        const next = Number(event.currentTarget.value) + (event.key === 'ArrowRight' || event.key === 'ArrowUp' ? 1 : -1) * (event.shiftKey ? 60 : 1);
        hand.value = null;
        step(momentAt(stretch, Math.max(0, next)));
      }}
    />
  );
}
