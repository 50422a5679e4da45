// Where a reader begins who asked for nothing but the first page.
import type { components } from '../api/schema';

export type Clock = components['schemas']['ClockView'];

/** Where a reader begins who asked for nothing but the first page; `null`: here. */
export function beginning(clock: Clock, page: string, params: Readonly<Record<string, string | undefined>>, led: string | null): { as_of: string; play: string } | null {
  const { story } = clock;
  if (story === null || story === undefined || page !== 'weather' || Object.keys(params).length > 0 || led === story.from) return null;
  return { as_of: story.from, play: String(story.speed) };
}
