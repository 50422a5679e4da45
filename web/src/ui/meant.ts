// Numbers the server takes for a slip of the pen (an entry far from the market, a stop past the entry) unless the reader says that they
// are meant. What it says, without how a program would answer.
import type { RequestError } from '../api/client';
import { sentence } from './Answer';

/** The question for the reader; `null` where the refusal is of another kind. */
export function meant(error: Pick<RequestError, 'message'> | null): string | null {
  if (error === null || !/\bconfirm\b/.test(error.message)) return null;
  const said = error.message.split(/;\s/).filter((part) => !/\bconfirm\b/.test(part)).join('; ');
  return said === '' ? null : sentence(said);
}
