import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Bytes } from '../../src/io/bytes.ts';
import { createAhead } from '../../src/io/http/ahead.ts';
import { type ByteRange, GAP_BYTES, mergedCost, mergeRanges, neededRanges } from '../../src/io/http/merge.ts';

const AHEAD = 256 * 1024;
const FILE = Uint8Array.from({ length: 2_000_000 }, (_, i) => (i * 7919) >> 3);

/** A file whose reads come when the test says so, or at once. */
function fileOf({ held = false } = {}) {
  const asked: (ByteRange & { signal: AbortSignal | undefined; answer(): void; fail(error: Error): void })[] = [];
  const state = { open: 0, most: 0, bytes: 0 };
  const bytes: Bytes = {
    ref: {
      href: 'x',
      size: FILE.length,
      version: '1',
      remote: { url: 'x', etag: '"1"', modified: null, aheadBytes: AHEAD },
    },
    read(offset, length, signal) {
      state.bytes += length;
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
      const answer = () => resolve(FILE.slice(offset, offset + length));
      asked.push({ offset, length, signal, answer, fail: reject });
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
      if (!held) setImmediate(answer);
      return promise;
    },
    close() {},
  };
  return { bytes, asked, state };
}

const quiet = () => {};
const all = () => true;

/** Blocks as files have them: mostly one after the other, some elsewhere, some empty. */
const ranges = fc
  .array(
    fc.record({
      jump: fc.oneof(fc.constant(0), fc.nat(100), fc.integer({ min: -50_000, max: 90_000 })),
      length: fc.oneof(fc.nat(3_000), fc.nat(60_000)),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map(steps => {
    const out: ByteRange[] = [];
    let at = 100_000;
    for (const { jump, length } of steps) {
      at = Math.max(0, Math.min(FILE.length - length, at + jump));
      out.push({ offset: at, length });
      at += length;
    }
    return [...new Map(out.map(range => [range.offset, range])).values()];
  });

describe('merged ranges', () => {
  test('each range is in one of them, gaps and sizes keep to their bounds', () => {
    fc.assert(
      fc.property(ranges, all => {
        const merged = mergeRanges(all, AHEAD);
        const inside = merged.flatMap(({ offset, length, ranges: of }) => {
          for (const range of of) assert.ok(range.offset >= offset && range.offset + range.length <= offset + length);
          assert.ok(of.length === 1 || length <= AHEAD / 4);
          return of;
        });
        assert.deepEqual(
          inside,
          all.filter(({ length }) => length > 0),
        );
      }),
    );
  });

  test('the price is a bound, also where some of them are not asked for, and of every run of them', () => {
    const within = { min: fc.nat(60), max: fc.nat(60) };
    fc.assert(
      fc.property(ranges, fc.func(fc.boolean()), fc.record(within), (all, kept, { min, max }) => {
        const run = all.slice(Math.min(min, max), Math.max(min, max));
        const parts = neededRanges(mergeRanges(run, AHEAD), range => kept(range.offset));
        const bytes = parts.reduce((sum, { length }) => sum + length, 0);
        assert.ok(bytes <= mergedCost(all, AHEAD).bytes);
        for (const { ranges: of } of parts) for (const range of of) assert.ok(kept(range.offset));
      }),
      { numRuns: 1000 },
    );
  });

  test('neighbours and near ones together, others alone', () => {
    const at = (offset: number, length = 100) => ({ offset, length });
    const of = (...all: ByteRange[]) => mergeRanges(all, AHEAD).map(({ offset, length }) => [offset, length]);
    assert.deepEqual(of(at(0), at(100), at(200 + GAP_BYTES)), [[0, 300 + GAP_BYTES]]);
    assert.deepEqual(of(at(0), at(101 + GAP_BYTES)), [
      [0, 100],
      [101 + GAP_BYTES, 100],
    ]);
    assert.deepEqual(of(at(500), at(100), at(100), at(300, 0)), [
      [500, 100],
      [100, 100],
    ]);
    assert.deepEqual(of(at(0, AHEAD), at(AHEAD)), [
      [0, AHEAD],
      [AHEAD, 100],
    ]);
  });
});

describe('reading ahead', () => {
  test('gives the bytes of the file, reads no more than was priced, and holds no more', async () => {
    await fc.assert(
      fc.asyncProperty(ranges, fc.func(fc.boolean()), async (all, read) => {
        const { bytes, state } = fileOf();
        const ahead = createAhead(bytes, { ranges: all, needed: ({ offset }) => read(offset), check: quiet });
        for (const { offset, length } of all) {
          if (length === 0 || !read(offset)) continue;
          assert.deepEqual(await ahead.read(offset, length), FILE.slice(offset, offset + length));
        }
        ahead.close();
        assert.ok(state.bytes <= mergedCost(all, AHEAD).bytes, `${state.bytes}`);
      }),
      { numRuns: 40 },
    );
  });

  test('asks for as much as may be held, and for more as it is read', async () => {
    const part = AHEAD / 4;
    const far = Array.from({ length: 10 }, (_, i) => ({ offset: i * 150_000, length: part }));
    const { bytes, asked } = fileOf({ held: true });
    const ahead = createAhead(bytes, { ranges: far, needed: all, check: quiet });
    assert.equal(asked.length, 4);
    for (let i = 0; i < far.length; i++) {
      const work = ahead.read(far[i].offset, part);
      asked[i].answer();
      await work;
      assert.equal(asked.length, Math.min(10, i + 5));
    }
    ahead.close();
  });

  test('what is larger than may be held is asked for alone', async () => {
    const large = [0, 1, 2].map(i => ({ offset: i * 600_000, length: AHEAD * 2 }));
    const { bytes, asked } = fileOf({ held: true });
    const ahead = createAhead(bytes, { ranges: large, needed: all, check: quiet });
    assert.equal(asked.length, 1);
    const work = ahead.read(0, AHEAD * 2);
    asked[0].answer();
    await work;
    assert.equal(asked.length, 2);
    ahead.close();
  });

  test('what nobody announced is read all the same', async () => {
    const { bytes } = fileOf();
    const ahead = createAhead(bytes, { ranges: [{ offset: 0, length: 10 }], needed: all, check: quiet });
    assert.deepEqual(await ahead.read(50, 7), FILE.slice(50, 57));
    assert.deepEqual(await ahead.read(0, 10), FILE.slice(0, 10));
    assert.deepEqual(await ahead.read(0, 10), FILE.slice(0, 10));
    ahead.close();
  });

  test('a failure is told to who reads it, and closing ends what is under way', async () => {
    const { bytes, asked } = fileOf({ held: true });
    const two = [0, 500_000].map(offset => ({ offset, length: 10 }));
    const ahead = createAhead(bytes, { ranges: two, needed: all, check: quiet });
    const work = ahead.read(0, 10);
    asked[0].fail(new Error('broken'));
    await assert.rejects(work, /broken/);
    ahead.close();
    assert.ok(asked[1].signal?.aborted);
  });

  test('a job that is cancelled does not wait for the answer', async () => {
    const { bytes } = fileOf({ held: true });
    let cancelled = false;
    const check = () => {
      if (cancelled) throw new Error('cancelled');
    };
    const ahead = createAhead(bytes, { ranges: [{ offset: 0, length: 10 }], needed: all, check });
    const work = ahead.read(0, 10);
    cancelled = true;
    await assert.rejects(work, /cancelled/);
    ahead.close();
  });
});
