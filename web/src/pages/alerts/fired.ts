// How often an alert came before, and over which days: those on which it could be judged. Nothing is claimed about others.
import { plain } from '../../format/number';

interface Rate {
  fired_30d: number;
  fired_90d: number;
  known_days: number;
}

/** "fired 3 times in 30 days"; over fewer days of data, which need not be the last, all of them count. */
export function firedWords(rate: Rate): string {
  const short = rate.known_days < 30;
  const times = short ? rate.fired_90d : rate.fired_30d;
  const days = Math.floor(rate.known_days);
  const over = !short ? 'in 30 days' : days < 1 ? 'in less than a day of data' : days === 1 ? 'in one day of data' : `in ${plain(days, 0)} days of data`;
  if (times === 0) return `first time ${over}`;
  return times === 1 ? `fired once ${over}` : `fired ${plain(times, 0)} times ${over}`;
}
