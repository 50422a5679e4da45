// Lengths of bars as the API writes them, the shortest first.
export const INTERVALS = ['1m', '5m', '15m', '1h', '4h', '1d'] as const;
const SECONDS = [60, 300, 900, 3_600, 14_400, 86_400] as const;
/** The word of a length in seconds. */
export const INTERVAL_WORDS: ReadonlyMap<number, string> = new Map(SECONDS.map((seconds, at) => [seconds, INTERVALS[at] ?? '']));
export const INTERVAL_SECONDS: ReadonlyMap<string, number> = new Map(INTERVALS.map((word, at) => [word, SECONDS[at] ?? 0]));
