// The hand on the chart: takes lines and moves them, measures, puts up lines, and clicks bars. What is none of these is left to the
// library: it pans and zooms.
import type { MouseEventParams, Time } from 'lightweight-charts';
import { measureText } from './measure';
import type { MeasurePoint } from './measure';
import type { ChartView } from './view';

export type Tool = 'none' | 'measure' | 'line';

export class Pointer {
  private tool: Tool = 'none';
  private from: MeasurePoint | null = null;
  private measuring = false;
  private held: { id: string; price: number } | null = null;
  /** A drag, and a press on a line, ends with a click that was not meant. */
  private dragged = false;

  constructor(
    private readonly element: HTMLElement,
    private readonly view: ChartView,
  ) {
    element.addEventListener('pointerdown', this.down, { capture: true });
    view.chart.subscribeClick((at) => this.clicked(at));
  }

  use(tool: Tool): void {
    this.tool = tool;
    this.element.dataset['tool'] = tool;
    if (tool !== 'measure') this.cancel();
  }

  /** With the keyboard: from the bar that is read. */
  measureFrom(place: number): void {
    this.from = this.view.barAt(place);
    this.view.measure.show(this.from, this.from, this.view.colours);
  }

  measureTo(place: number): void {
    const to = this.view.barAt(place);
    if (this.from === null || this.measuring || to === null) return;
    this.shown(to);
  }

  /** True: there was something to take back. */
  cancel(): boolean {
    if (this.from === null) return false;
    this.from = null;
    this.view.measure.show(null, null, this.view.colours);
    this.view.handlers.measured(null);
    return true;
  }

  remove(): void {
    this.element.removeEventListener('pointerdown', this.down, { capture: true });
    this.release();
  }

  private here(event: PointerEvent): { x: number; y: number; inside: boolean } {
    const box = this.element.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const inside = x < this.view.chart.timeScale().width() && y < (this.view.chart.panes()[0]?.getHeight() ?? 0);
    return { x, y, inside };
  }

  private readonly down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    this.dragged = false;
    const { x, y, inside } = this.here(event);
    if (!inside) return;
    const line = this.view.lines.near(y, event.pointerType === 'touch');
    if (this.tool === 'measure' || event.shiftKey) {
      this.from = this.view.pointAt(x, y);
      this.measuring = this.from !== null;
    } else if (line !== null && this.tool === 'none') this.held = { id: line.id, price: line.price };
    if (!this.measuring && this.held === null) {
      this.cancel();
      return;
    }
    // The library would pan.
    this.view.chart.applyOptions({ handleScroll: false, handleScale: false });
    window.addEventListener('pointermove', this.move);
    window.addEventListener('pointerup', this.up);
    window.addEventListener('pointercancel', this.up);
  };

  private readonly move = (event: PointerEvent): void => {
    const { x, y } = this.here(event);
    this.dragged = true;
    const at = this.view.pointAt(x, y);
    if (at === null) return;
    if (this.held !== null) {
      this.held = { ...this.held, price: at.price };
      this.view.lines.hold(this.held);
    } else if (this.measuring) this.shown(at);
  };

  private readonly up = (event: PointerEvent): void => {
    this.release();
    const held = this.held;
    this.held = null;
    this.measuring = false;
    if (held !== null) {
      this.view.lines.hold(null);
      if (this.dragged && event.type === 'pointerup') this.view.handlers.moved(held.id, held.price);
      this.dragged = true;
    }
  };

  private release(): void {
    window.removeEventListener('pointermove', this.move);
    window.removeEventListener('pointerup', this.up);
    window.removeEventListener('pointercancel', this.up);
    this.view.chart.applyOptions({ handleScroll: true, handleScale: true });
  }

  private shown(to: MeasurePoint): void {
    if (this.from === null) return;
    this.view.measure.show(this.from, to, this.view.colours);
    this.view.handlers.measured(measureText(this.from, to));
  }

  private clicked(at: MouseEventParams<Time>): void {
    if (this.dragged) {
      this.dragged = false;
      return;
    }
    if (at.point === undefined) return;
    if (this.tool === 'line') {
      const price = this.view.candles.coordinateToPrice(at.point.y);
      if ((at.paneIndex ?? 0) === 0 && price !== null) this.view.handlers.placed(price);
    } else if (this.tool === 'none' && typeof at.time === 'number') this.view.handlers.picked(at.time);
  }
}
