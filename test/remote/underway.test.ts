import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Asker, Underway } from '../../src/render/raster/underway.ts';
import type { FetchedBlock } from '../../src/source/tiff/blocks.ts';

const BLOCK: FetchedBlock = { data: new Uint8Array(1), mask: null, width: 1, height: 1, samples: 1, rest: null };
const asker = (): Asker => ({ waitsFor: null });

describe('blocks under way', () => {
  test('the first fetches, the others have it of the first', async () => {
    const underway = new Underway();
    const [a, b, c] = [asker(), asker(), asker()];
    assert.deepEqual([underway.claim('1', a), underway.claim('1', b)], [true, false]);
    assert.equal(underway.from('1', a), undefined);
    const both = Promise.all([underway.from('1', b), underway.from('1', c)]);
    assert.equal(b.waitsFor, a);
    underway.settle('1', b, null);
    underway.settle('1', a, BLOCK);
    assert.deepEqual(await both, [BLOCK, BLOCK]);
    assert.deepEqual([b.waitsFor, c.waitsFor], [null, null]);
    assert.equal(underway.from('1', b), undefined);
    assert.equal(underway.claim('1', b), true);
  });

  test('where the first ends without it, the others are told', async () => {
    const underway = new Underway();
    const [a, b] = [asker(), asker()];
    underway.claim('1', a);
    const waited = underway.from('1', b);
    underway.settle('1', a, null);
    assert.equal(await waited, null);
  });

  test('nobody waits in a circle, however long', () => {
    const underway = new Underway();
    const askers = Array.from({ length: 5 }, asker);
    for (const [i, each] of askers.entries()) underway.claim(String(i), each);
    for (let i = 0; i < 4; i++) assert.ok(underway.from(String(i + 1), askers[i]));
    assert.equal(underway.from('0', askers[4]), undefined);
    assert.equal(underway.from('3', askers[4]), undefined);
    assert.equal(underway.from('4', askers[4]), undefined);
  });
});
