// Asks one question of the server as often as somebody wishes to know, but never twice at once, never more than once a second, and
// after a failure that may pass by itself, with growing pauses. No Preact in here: a resource is one of these with a component.
import { RequestError, known } from './client';

const PACE_MS = 1_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 20_000;

export class Loader<T> {
  private stop: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = -Infinity;
  private wished = false;
  private failures = 0;
  private ended = false;

  constructor(
    private ask: (signal: AbortSignal) => Promise<T>,
    private came: (data: T) => void,
    private failed: (error: RequestError) => void,
  ) {}

  /** Another question from now on, asked when the one under way has been answered: its answer still comes to whom it was promised. */
  instead(ask: (signal: AbortSignal) => Promise<T>, came: (data: T) => void, failed: (error: RequestError) => void): void {
    [this.ask, this.came, this.failed] = [ask, came, failed];
    this.again();
  }

  /** The answer is asked for anew. What is under way is let finish, for in a storm of requests nothing would ever arrive; it may be
   * older than the request, so that another question follows it. */
  again(): void {
    if (this.stop !== null) this.wished = true;
    else this.later(this.asked + PACE_MS - performance.now());
  }

  end(): void {
    this.ended = true;
    this.stop?.abort();
    clearTimeout(this.timer);
  }

  private later(ms: number): void {
    clearTimeout(this.timer);
    if (ms <= 0) void this.run();
    else this.timer = setTimeout(() => void this.run(), ms);
  }

  private async run(): Promise<void> {
    const stop = new AbortController();
    this.stop = stop;
    this.asked = performance.now();
    this.wished = false;
    const { came, failed } = this;
    const outcome = await this.ask(stop.signal).then(
      (data) => ({ data }),
      (error: unknown) => ({ error: known(error) }),
    );
    this.stop = null;
    if (this.ended) return;
    if ('data' in outcome) {
      this.failures = 0;
      came(outcome.data);
    } else {
      failed(outcome.error);
      if (outcome.error.passes && !this.wished) this.later(this.pause());
    }
    if (this.wished) this.again();
  }

  private pause(): number {
    const ms = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.failures);
    this.failures += 1;
    return ms;
  }
}
