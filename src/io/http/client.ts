/**
 * Byte ranges of other servers' files. One request asks for one range and takes exactly its bytes: an answer that is anything else
 * is cut off at its headers, so no body is ever read that was not asked for. Redirects are not followed, nothing of a client's
 * request is passed on, and every connection goes to an address that was checked, by the same look-up that it is made with.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Problem, problem } from '../../errors.ts';
import { type AddressRules, createAddressRules } from './addresses.ts';
import { shown } from './allow.ts';
import { type Expected, judgeAnswer, type RangeHead } from './answer.ts';
import { createHostGates } from './hosts.ts';
import { createRemoteTally, type RemoteTally } from './tally.ts';

/** Plain data: crosses to the workers. */
export interface FetchSettings {
  /** A range must have arrived whole within this, tries included. */
  readonly timeoutMs: number;
  /** Requests of this thread at once. */
  readonly concurrency: number;
  /** Further tries after a failed connection, a body cut short, or 500, 502, 503, 504. */
  readonly retries: number;
  /** Ranges that may be connected to beside public addresses. */
  readonly addresses: readonly string[];
  /** Where all threads count together: see tally.ts. Absent: nobody wants to know. */
  readonly tally?: SharedArrayBuffer;
}

export interface Answer extends RangeHead {
  readonly bytes: Uint8Array;
}

export interface RangeClientStats {
  readonly requests: number;
  readonly retries: number;
  readonly failures: number;
  readonly bytes: number;
  readonly running: number;
  readonly waiting: number;
}

export interface RangeClient {
  /**
   * The bytes of one range. Errors: remote-forbidden, remote-denied, remote-not-found, remote-redirected, remote-bad-answer,
   * remote-failed, remote-timeout; source-changed where it is not the expected file any more; the signal's reason.
   */
  get(url: string, expected: Expected, signal?: AbortSignal): Promise<Answer>;
  stats(): RangeClientStats;
  close(): void;
}

export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** Idle connections are kept for the next range, but not for long: there may be many hosts. */
const IDLE_MS = 5_000;
const HEADER_BYTES_MAX = 16_384;
const FIRST_PAUSE_MS = 50;

export function createRangeClient(settings: FetchSettings, resolve: Resolve = systemResolve): RangeClient {
  const kept = { keepAlive: true, timeout: IDLE_MS, maxFreeSockets: settings.concurrency };
  const agents = { 'http:': new http.Agent(kept), 'https:': new https.Agent(kept) };
  const rules = createAddressRules(settings.addresses);
  const lookup = guardedLookup(asOne(resolve), rules);
  const hosts = createHostGates(settings.concurrency);
  const counts = { requests: 0, retries: 0, failures: 0, bytes: 0 };
  const tally = settings.tally ? createRemoteTally(settings.tally) : null;
  const once = (url: URL, expected: Expected, signal: AbortSignal) => {
    counts.requests++;
    const agent = agents[url.protocol as 'http:' | 'https:'];
    const sent = request(url, expected, { agent, lookup, maxHeaderSize: HEADER_BYTES_MAX, signal });
    return tally ? counted(sent, tally) : sent;
  };
  const tries = async (url: URL, expected: Expected, signal: AbortSignal): Promise<Answer> => {
    for (let tried = 0; ; tried++) {
      try {
        return await once(url, expected, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (tried >= settings.retries || !passes(error)) throw error;
        counts.retries++;
        tally?.retried();
        await pause(FIRST_PAUSE_MS * 2 ** tried, undefined, { signal }).catch(() => {});
        signal.throwIfAborted();
      }
    }
  };
  return {
    async get(text, expected, signal) {
      const url = new URL(text);
      checkLiteral(url, rules);
      const { timeoutMs } = settings;
      const waiting = deadline(timeoutMs, signal, () =>
        problem('overloaded', `${shown(url)}: ${timeoutMs} ms have passed behind other requests to other servers`),
      );
      const work = async (): Promise<Answer> => {
        waiting.done();
        const working = deadline(timeoutMs, signal, () =>
          problem('remote-timeout', `${shown(url)} has not answered whole within ${timeoutMs} ms`),
        );
        try {
          return await tries(url, expected, working.signal);
        } finally {
          working.done();
        }
      };
      try {
        const answer = await hosts.run(url.host, waiting.signal, work);
        counts.bytes += answer.bytes.length;
        return answer;
      } catch (error) {
        counts.failures++;
        throw error;
      } finally {
        waiting.done();
      }
    },
    stats: () => ({ ...counts, ...hosts.stats() }),
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

async function counted(sent: Promise<Answer>, tally: RemoteTally): Promise<Answer> {
  const started = performance.now();
  tally.began();
  try {
    const answer = await sent;
    tally.ended(null, answer.bytes.length, (performance.now() - started) / 1000);
    return answer;
  } catch (error) {
    tally.ended(error instanceof Problem ? error.code : 'other', 0, (performance.now() - started) / 1000);
    throw error;
  }
}

interface Deadline {
  readonly signal: AbortSignal;
  done(): void;
}

/** Aborts with `late()` after so long, or with the caller's own reason before. */
function deadline(ms: number, outer: AbortSignal | undefined, late: () => Error): Deadline {
  const controller = new AbortController();
  const end = () => controller.abort(outer?.reason);
  const timer = setTimeout(() => controller.abort(late()), ms);
  outer?.addEventListener('abort', end, { once: true });
  if (outer?.aborted) end();
  return {
    signal: controller.signal,
    done() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', end);
    },
  };
}

/** What may be over at the next try. */
function passes(error: unknown): boolean {
  if (!(error instanceof Problem) || error.code !== 'remote-failed') return false;
  const { upstream } = error.extra;
  return upstream === undefined || [500, 502, 503, 504].includes(upstream as number);
}

type Wiring = Pick<RequestOptions, 'agent' | 'lookup' | 'maxHeaderSize'> & { readonly signal: AbortSignal };

function request(url: URL, expected: Expected, { signal, ...wiring }: Wiring): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { request: begin } = url.protocol === 'https:' ? https : http;
    const sent = begin(url, { method: 'GET', headers: headersFor(expected), ...wiring });
    const stop = () => sent.destroy(signal.reason);
    const settle = () => signal.removeEventListener('abort', stop);
    const fail = (error: unknown) => {
      settle();
      sent.destroy();
      reject(signal.aborted ? signal.reason : failure(url, error));
    };
    signal.addEventListener('abort', stop, { once: true });
    sent.on('error', fail);
    sent.on('response', answer => {
      try {
        const head = judgeAnswer(shown(url), answer.statusCode ?? 0, answer.headers, expected);
        take(answer, head.length, fail, bytes => {
          settle();
          resolve({ ...head, bytes });
        });
      } catch (error) {
        fail(error);
      }
    });
    sent.end();
  });
}

function headersFor({ offset, length, known }: Expected): Record<string, string> {
  // A weak tag cannot be a condition; it is compared when the answer comes.
  const strong = known?.etag && !known.etag.startsWith('W/') ? known.etag : null;
  return {
    range: `bytes=${offset}-${offset + length - 1}`,
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': 'plimsoll',
    ...(strong ? { 'if-match': strong } : known?.modified ? { 'if-unmodified-since': known.modified } : {}),
  };
}

/** Exactly `length` bytes: one more, or one less, and the answer is not what its headers said. */
function take(
  answer: IncomingMessage,
  length: number,
  fail: (error: unknown) => void,
  done: (bytes: Uint8Array) => void,
): void {
  const bytes = new Uint8Array(length);
  let at = 0;
  answer.on('data', (chunk: Buffer) => {
    if (at + chunk.length > length)
      return fail(problem('remote-bad-answer', `its body is longer than ${length} bytes`));
    bytes.set(chunk, at);
    at += chunk.length;
  });
  answer.on('error', fail);
  answer.on('close', () => {
    if (answer.complete && at === length) done(bytes);
    else fail(new Error(`its body ended after ${at} of ${length} bytes`));
  });
}

function failure(url: URL, error: unknown): Problem {
  if (error instanceof Problem && error.code !== 'remote-bad-answer') return error;
  if (error instanceof Problem) return problem(error.code, named(url, error.message), error.extra);
  const { code, message } = error as NodeJS.ErrnoException;
  return problem('remote-failed', named(url, code && !message.includes(code) ? `${code} ${message}` : message));
}

function named(url: URL, detail: string): string {
  const name = shown(url);
  return detail.startsWith(name) ? detail : `${name}: ${detail}`;
}

/** Sockets to addresses are made without a look-up, so those are checked here. */
function checkLiteral(url: URL, rules: AddressRules): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if ((/^[\d.]+$/.test(host) || host.includes(':')) && !rules.allows(host)) throw forbidden(host, host);
}

function forbidden(host: string, address: string): Problem {
  const what = host === address ? address : `${host} is ${address}, which`;
  return problem('remote-forbidden', `${what} is not a public address, and remote.addresses does not name it`, {
    reason: 'address',
    address,
  });
}

/** All addresses of a name must be allowed: one that is not is there to be tried at some time. */
function guardedLookup(resolve: Resolve, rules: AddressRules): LookupFunction {
  return (host, options, callback) => {
    resolve(host).then(
      found => {
        const bad = found.find(({ address }) => !rules.allows(address));
        const family = typeof options.family === 'number' ? options.family : 0;
        const fit = found.filter(each => family === 0 || each.family === family);
        if (bad) callback(forbidden(host, bad.address), [], 0);
        else if (fit.length === 0) callback(new Error(`${host} has no address`), [], 0);
        else if (options.all) callback(null, [...fit]);
        else callback(null, fit[0].address, fit[0].family);
      },
      error => callback(error as NodeJS.ErrnoException, [], 0),
    );
  };
}

/** Many connections to one host ask once: look-ups wait in the few threads that decode pictures too. */
function asOne(resolve: Resolve): Resolve {
  const pending = new Map<string, Promise<readonly LookupAddress[]>>();
  return host => {
    const known = pending.get(host) ?? resolve(host).finally(() => pending.delete(host));
    pending.set(host, known);
    return known;
  };
}

function systemResolve(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, found) => (error ? reject(error) : resolve(found)));
  });
}
