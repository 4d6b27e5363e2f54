/** Asks rio-tiler, color-operations and titiler's algorithms what comes of small arrays. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findPython } from '../oracle/python.ts';

const found = findPython('titiler.core', 'rio_tiler', 'color_operations');
export const NO_TITILER = 'reason' in found ? found.reason : false;

/** An answer a case: band after band. */
export function askRio(cases: readonly object[]): number[][] {
  if ('reason' in found) throw new Error(found.reason);
  const script = join(import.meta.dirname, '../oracle/rio-values.py');
  const input = cases.map(each => JSON.stringify(each)).join('\n');
  const run = spawnSync(found.python, [script], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as number[]);
}

/** Same numbers each time, between 0 and 1. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Band after band → pixel after pixel. */
export function interleave<T extends Float64Array | Uint8Array>(bands: readonly (readonly number[])[], out: T): T {
  for (const [b, values] of bands.entries())
    for (const [i, value] of values.entries()) out[i * bands.length + b] = value;
  return out;
}
