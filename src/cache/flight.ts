/**
 * Single flight: callers that ask for the same key while it is being made share one making. Each waits on its own
 * signal; the last one to leave aborts the work. Nothing outlives its flight: neither a result nor a failure is kept.
 */
import { problem } from '../errors.ts';

export interface FlightStats {
  readonly flying: number;
  readonly started: number;
  /** Callers that found their key in flight. */
  readonly joined: number;
  /** Flights aborted because all their callers had left. */
  readonly aborted: number;
}

export interface Flight {
  /** Errors: those of `work`, or client-closed once `signal` is aborted. */
  run<T>(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Whether somebody is making it. */
  flies(key: string): boolean;
  stats(): FlightStats;
}

interface Flying {
  readonly promise: Promise<unknown>;
  readonly controller: AbortController;
  waiters: number;
}

export function createFlight(): Flight {
  const flying = new Map<string, Flying>();
  let started = 0;
  let joined = 0;
  let aborted = 0;

  function start<T>(key: string, work: (signal: AbortSignal) => Promise<T>): Flying {
    const controller = new AbortController();
    started++;
    // async: work that throws before its first await fails the flight, not this function.
    const flight: Flying = { promise: (async () => work(controller.signal))(), controller, waiters: 0 };
    flying.set(key, flight);
    const land = (): void => forget(key, flight);
    flight.promise.then(land, land);
    return flight;
  }

  /** A key may be flying anew by the time an abandoned flight lands: only its own entry is taken out. */
  function forget(key: string, flight: Flying): void {
    if (flying.get(key) === flight) flying.delete(key);
  }

  function leave(key: string, flight: Flying): void {
    if (--flight.waiters > 0 || flying.get(key) !== flight) return;
    aborted++;
    forget(key, flight);
    flight.controller.abort(gone(key));
  }

  return {
    run(key, signal, work) {
      if (signal.aborted) return Promise.reject(gone(key));
      const known = flying.get(key);
      if (known !== undefined) joined++;
      const flight = known ?? start(key, work);
      flight.waiters++;
      return wait(flight, signal, key, () => leave(key, flight)) as ReturnType<typeof work>;
    },
    flies: key => flying.has(key),
    stats: () => ({ flying: flying.size, started, joined, aborted }),
  };
}

function wait(flight: Flying, signal: AbortSignal, key: string, leave: () => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const left = (): void => {
      reject(gone(key));
      leave();
    };
    signal.addEventListener('abort', left, { once: true });
    const done = (): void => signal.removeEventListener('abort', left);
    flight.promise.then(
      value => {
        done();
        resolve(value);
      },
      error => {
        done();
        reject(error);
      },
    );
  });
}

function gone(key: string): Error {
  return problem('client-closed', `every client that waited for ${key} went away`);
}
