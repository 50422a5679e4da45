// Asking the server, and telling what went wrong in words: a problem document of the API, a refused sign-in, or no answer at all.
import { signal } from '@preact/signals';
import type { Problem } from './types';

/** The server wants a token before it answers: the page shows the form for it. */
export const signInWanted = signal(false);

export class RequestError extends Error {
  constructor(
    message: string,
    /** HTTP status; 0: no answer. */
    readonly status: number,
    readonly hint: string | null,
    /** The server has no such address: it is older than the page. */
    readonly missingRoute: boolean,
    /** Which kind of problem, as a word of the API: `unknown-symbol`. */
    readonly kind: string | null = null,
  ) {
    super(message);
  }

  /** It may be gone by itself the next time; what the server says about the question itself stays true. */
  get passes(): boolean {
    return this.status === 0 || this.status >= 500 || this.status === 429;
  }
}

/** Whatever was thrown, as something that can be shown. */
export function known(error: unknown): RequestError {
  return error instanceof RequestError ? error : new RequestError(String(error), 0, null, false);
}

const ahead = new Map<string, Promise<unknown>>();
/** Longer than this after it came, an answer is asked for anew. */
const AHEAD_MS = 5_000;

/** Sends a GET before the part of the page that needs it has loaded. The first `ask` for the same path takes its answer, once `beside`
    has come too. */
export function askAhead(path: string, beside?: Promise<void>): void {
  const answer = send<unknown>('GET', path).then((found) => (beside === undefined ? found : beside.then(() => found)));
  const forget = (): void => {
    if (ahead.get(path) === answer) ahead.delete(path);
  };
  ahead.set(path, answer);
  answer.then(() => setTimeout(forget, AHEAD_MS), forget);
}

export async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  const asked = ahead.get(path);
  ahead.delete(path);
  if (asked !== undefined) return asked as Promise<T>;
  return send<T>('GET', path, undefined, signal);
}

/** A request that changes something, or whose question is too long for an address. */
export async function send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') headers['x-barograph'] = '1';
  if (body !== undefined) headers['content-type'] = 'application/json';
  let reply: Response;
  try {
    const init: RequestInit = { method, headers, credentials: 'same-origin' };
    if (body !== undefined) init.body = JSON.stringify(body);
    if (signal) init.signal = signal;
    reply = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new RequestError('the server does not answer', 0, 'is barograph still running?', false);
  }
  if (reply.ok) return (reply.status === 204 ? undefined : await reply.json()) as T;
  throw await failure(reply, path);
}

async function failure(reply: Response, path: string): Promise<RequestError> {
  if (reply.status === 401 && !path.startsWith('/api/v1/session')) signInWanted.value = true;
  const problem = (await reply.json().catch(() => null)) as Partial<Problem> | null;
  const text = problem?.detail ?? problem?.title ?? `the server answered ${reply.status}`;
  const kind = problem?.type?.split(':').pop() ?? null;
  return new RequestError(text, reply.status, problem?.hint ?? null, reply.status === 404 && kind === null, kind);
}

/** An address with parameters; those without a value are left out. */
export function withQuery(path: string, params: Record<string, string | number | boolean | null | undefined>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== '') query.set(key, String(value));
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}
