import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WITHOUT_SHARED } from '../lib/app.ts';
import { askPython, findPython } from '../oracle/python.ts';
import { BUFFER, EXTENT, openLayer, type RigTile, seeded, tileOf, tileRange, VECTOR } from './rig.ts';

const found = findPython('shapely', 'numpy');
const python = 'python' in found ? found.python : '';
const skip = WITHOUT_SHARED || ('reason' in found ? found.reason : false);
/** Pairs in all; the layers take turns. */
const PAIRS = process.env.PLIMSOLL_TEST_FULL ? 15_000 : 1000;

const plain = (tile: RigTile | null) => (tile?.features ?? []).map(({ id, type, parts }) => [id, type, parts]);

/** Tiles side by side at random zooms, of which at least one shows something. */
async function pairsOf(name: string, count: number, seed: number): Promise<string[]> {
  const layer = await openLayer(join(VECTOR, name)).catch(() => null);
  if (!layer?.verdict.servable || !layer.lonLatBounds) return [];
  const rnd = seeded(seed);
  const pairs: string[] = [];
  for (let tries = 0; pairs.length < count && tries < count * 12; tries++) {
    const z = 1 + Math.floor(rnd() * 14);
    const [x0, y0, x1, y1] = tileRange(layer.lonLatBounds, z);
    const [dx, dy] = rnd() < 0.5 ? [1, 0] : [0, 1];
    const x = x0 + Math.floor(rnd() * (x1 - x0 + 1));
    const y = y0 + Math.floor(rnd() * (y1 - y0 + 1));
    if (y + dy >= 2 ** z) continue;
    const a = await tileOf(layer, z, x, y);
    const b = await tileOf(layer, z, (x + dx) % 2 ** z, y + dy);
    if (!a && !b) continue;
    const place = { name: `${name} ${z}/${x}/${y}`, extent: EXTENT, buffer: BUFFER, dx, dy };
    pairs.push(JSON.stringify({ ...place, a: plain(a), b: plain(b) }));
  }
  await layer.source.close();
  return pairs;
}

test('a thousand pairs of neighbours agree within a unit in what both see', { skip, timeout: 600_000 }, async () => {
  const names = readdirSync(VECTOR).filter(name => name.endsWith('.fgb'));
  const pairs: string[] = [];
  for (const [i, name] of names.entries()) {
    const left = Math.ceil((PAIRS - pairs.length) / (names.length - i));
    pairs.push(...(await pairsOf(name, left, i + 1)));
  }
  const { totals, said } = askPython<Record<string, number>>(python, './vector-seams.py', pairs);
  assert.ok(totals.pairs >= PAIRS * 0.9 && totals.features > PAIRS * 5, JSON.stringify(totals));
  assert.deepEqual(said.slice(0, 5), [], `${totals.apart} of ${totals.features} features disagree`);
});
