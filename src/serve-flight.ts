/** One making for all who ask the same at once, whose failure is everybody's unless it is about one client alone. */
import type { Flight } from './cache/flight.ts';
import { Problem } from './errors.ts';

/**
 * Errors: those of `work`, client-closed. Where the flight of another client ended because that one is over its share, `work`
 * is done once more in a flight of this client's own: it has a share too.
 */
export async function inFlight<T>(
  flight: Pick<Flight, 'run'>,
  key: string,
  client: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let led = false;
  const lead = (shared: AbortSignal): Promise<T> => {
    led = true;
    return work(shared);
  };
  try {
    return await flight.run(key, signal, lead);
  } catch (error) {
    if (led || !(error instanceof Problem) || error.code !== 'client-over-share') throw error;
    return flight.run(`${key}|of ${client}`, signal, lead);
  }
}
