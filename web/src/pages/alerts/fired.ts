// How often an alert came before in the last 30 days, and over which of them: those on which it could be judged. Nothing is claimed
// about others.
import { plain } from '../../format/number';

interface Rate {
  fired_30d: number;
  known_days_30d: number;
}

/** "fired 3 times in 30 days", "first time in 12 days of data". */
export function firedWords({ fired_30d: times, known_days_30d }: Rate): string {
  const days = Math.floor(known_days_30d);
  const over = days >= 30 ? 'in 30 days' : days < 1 ? 'in less than a day of data' : days === 1 ? 'in one day of data' : `in ${plain(days, 0)} days of data`;
  if (times === 0) return `first time ${over}`;
  return times === 1 ? `fired once ${over}` : `fired ${plain(times, 0)} times ${over}`;
}
