// The time machine docked under the chart: its track is the regime ribbon of the bars above it, bar under bar. A hand on the track
// uncovers and covers the candles; the keyboard steps by bar.
import type { JSX, RefObject } from 'preact';
import { TRACK_HEIGHT } from '../../chart/track';
import type { ChartView } from '../../chart/view';
import { iso, local, zone } from '../../format/time';
import { barsOn } from '../../state/machine';
import { drag, drop, hand, letGo, step } from '../../state/moment';
import { asOf } from '../../state/place';

interface Props {
  view: RefObject<ChartView | null>;
  canvas: RefObject<HTMLCanvasElement | null>;
  /** Seconds of a bar. */
  bar: number;
  /** The stretch of this market, epoch milliseconds. */
  from: number;
  to: number;
}

export function Dock({ view, canvas, bar, from, to }: Props): JSX.Element {
  const at = asOf.value === null ? to : Date.parse(asOf.value);
  const momentOf = (ms: number): string | null => (ms >= to ? null : iso(Math.max(from, ms)));
  const under = (event: PointerEvent & { currentTarget: HTMLElement }): number | null => {
    const box = event.currentTarget.getBoundingClientRect();
    const edge = view.current?.edgeAt(event.clientX - box.left) ?? null;
    return edge === null ? null : edge * 1_000;
  };
  const move = (event: PointerEvent & { currentTarget: HTMLElement }): void => {
    const ms = under(event);
    if (ms !== null) drag(Math.min(ms, to), momentOf(ms));
  };
  const key = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (event.key === 'End') step(null);
    else if (event.key === 'Home') step(iso(from));
    else if (by !== undefined) step(momentOf(barsOn(at, event.shiftKey ? by * 10 : by, bar)));
    else return;
    event.preventDefault();
  };
  const bars = (ms: number): number => Math.round((ms - from) / (bar * 1_000));
  return (
    <div
      class="track-hand"
      role="slider"
      tabIndex={0}
      data-time-machine
      data-testid="track"
      aria-label="moment shown, on the regime ribbon"
      aria-valuemin={0}
      aria-valuemax={Math.max(1, bars(to))}
      aria-valuenow={Math.min(bars(to), Math.max(0, bars(at)))}
      aria-valuetext={asOf.value === null ? 'now' : `${local(at / 1_000, 0)} ${zone(at)}`}
      title="the regime ribbon: drag to move through time"
      onKeyDown={key}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        move(event);
      }}
      onPointerMove={(event) => {
        if (hand.value !== null && event.currentTarget.hasPointerCapture(event.pointerId)) move(event);
      }}
      onPointerUp={(event) => {
        if (hand.value === null) return;
        const ms = under(event);
        drop(ms === null ? asOf.peek() : momentOf(ms));
      }}
      onPointerCancel={letGo}
    >
      <canvas ref={canvas} height={TRACK_HEIGHT} />
    </div>
  );
}
