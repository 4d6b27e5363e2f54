/** What jobs hold of other servers' features, against its price; and walks whose client left before their pages failed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bytes } from '../../src/io/bytes.ts';
import { Staged, stagedBytes } from '../../src/io/staged.ts';
import type { BytesRef } from '../../src/plan.ts';
import { farPages } from '../../src/source/fgb/far-pages.ts';
import { treeShape } from '../../src/source/fgb/rtree.ts';
import { PageBudget } from '../../src/source/fgb/rtree-pages.ts';

const REF: BytesRef = { href: 'http://far.test/a.fgb', size: 10_000_000, version: '1' };

function held(lengths: readonly number[], roomBytes?: number): number {
  const staged = new Staged(REF, roomBytes);
  let offset = 0;
  for (const [i, length] of lengths.entries()) {
    staged.put(offset, new Uint8Array(length).fill(i + 1));
    offset += length;
  }
  offset = 0;
  for (const [i, length] of lengths.entries()) {
    const read = new Uint8Array(length);
    staged.readInto(offset, read);
    assert.ok(read.every(byte => byte === i + 1));
    offset += length;
  }
  return staged.heldBytes;
}

test('features of known sizes take no more than they were priced for, large ones beside small ones too', () => {
  for (const lengths of [[900, 100], [200, 200, 200, 200, 100, 100], [100, 900], [8, 8, 8], [300_000, 10], [7]]) {
    const sum = lengths.reduce((a, b) => a + b, 0);
    assert.ok(held(lengths, sum) <= stagedBytes(lengths.length, sum), `${lengths}: known`);
    assert.ok(held(lengths) <= stagedBytes(lengths.length, sum, true), `${lengths}: grown`);
  }
});

test('pages that fail after their walk was left are nobody’s unhandled error', async () => {
  const fail: ((error: Error) => void)[] = [];
  const read = () => new Promise<Uint8Array>((_, reject) => fail.push(reject));
  const bytes = { ref: REF, read, readInto: () => {}, close: () => {} } as Bytes;
  const shape = treeShape(4096, 16);
  const budget = new PageBudget(1_000_000);
  const options = { bytes, shape, pageLeaves: 16, indexStart: 0, featuresStart: 200_000, budget };
  const pages = farPages({ ...options, requestBytes: 640, bytesMax: 1_000_000 });
  const unheard: unknown[] = [];
  const listen = (error: unknown) => unheard.push(error);
  process.on('unhandledRejection', listen);
  try {
    await assert.rejects(pages.expect?.([0, 9], AbortSignal.abort(new Error('left'))) as Promise<void>, /left/);
    assert.equal(fail.length, 2);
    for (const each of fail) each(new Error('the server is gone'));
    await new Promise(resolve => setTimeout(resolve, 20));
    assert.deepEqual(unheard, []);
  } finally {
    process.off('unhandledRejection', listen);
  }
});
