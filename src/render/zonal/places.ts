/** Where zones are in their file, for who fetches them all. */
import type { Places } from '../../io/http/spans.ts';
import type { Zone } from './types.ts';

export function placesOf(zones: readonly Zone[]): Places {
  return {
    offsets: Float64Array.from(zones, ({ offset }) => offset),
    lengths: Uint32Array.from(zones, ({ length }) => length),
  };
}
