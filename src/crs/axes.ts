/** The order of a CRS' own axes. Everything in the house is x = east first; only what a client names by a URI is not. */
import { NORTH_FIRST } from './axes-table.ts';
import type { Crs } from './types.ts';

/** True where the authority writes north, or latitude, before east: a URI of EPSG means that order (OGC API Features part 2). */
export function northFirst({ id }: Crs): boolean {
  if (!id.startsWith('EPSG:')) return false;
  const code = Number(id.slice(5));
  return NORTH_FIRST.split(' ').some(range => {
    const [first, last = first] = range.split('-').map(Number);
    return code >= first && code <= last;
  });
}
