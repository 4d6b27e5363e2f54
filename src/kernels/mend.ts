/** Rings as a valid polygon: as they are where they are one, else without spikes, else arranged anew. */
import { arrange } from './arrange.ts';
import { dropSpikes, type Rings, type RingsScratch, ringsValid } from './rings.ts';
import { area2 } from './simplify.ts';

/** May change `rings` in place, and answers with them or with others. `mixed`: a hole need not lie in the outer ring before it. */
export function mended(rings: Rings, scratch: RingsScratch, mixed = false): Rings {
  if (!mixed && (ringsValid(rings, scratch) || freedOfSpikes(rings, scratch))) return rings;
  return arrange(rings, scratch);
}

/** Most small rings that are not valid double back on themselves somewhere, and are valid without that. */
function freedOfSpikes(rings: Rings, scratch: RingsScratch): boolean {
  if (rings.count !== 1) return false;
  const n = dropSpikes(rings.xy, rings.ends[0]);
  if (n < 3) return false;
  rings.ends[0] = n;
  rings.areas[0] = area2(rings.xy, n);
  return rings.areas[0] !== 0 && ringsValid(rings, scratch);
}
