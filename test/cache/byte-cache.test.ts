import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type ByteCacheSettings, createByteCache, overheadOf } from '../../src/cache/byte-cache.ts';
import type { ByteCache, CacheHit, CacheOffer } from '../../src/cache/types.ts';
import { createLedger } from '../../src/memory/ledger.ts';

const KIB = 1024;
const SEGMENT = 64 * KIB;

function make(more: Partial<ByteCacheSettings> = {}) {
  const ledger = createLedger({ strict: true });
  const clock = { nowMs: 0 };
  const settings = { maxBytes: 8 * SEGMENT, segmentBytes: SEGMENT, ledger, now: () => clock.nowMs, ...more };
  return { cache: createByteCache(settings), ledger, clock };
}

/** A body that says which key and version it belongs to, in every byte. */
function body(seed: number, length: number): Uint8Array {
  return new Uint8Array(length).fill(seed % 251);
}

function tile(seed: number, length: number, zoom: number | null = 14, more: Partial<CacheOffer> = {}): CacheOffer {
  return {
    layer: 'a',
    etag: `"${seed}"`,
    contentType: 'image/png',
    encoding: 'identity',
    headers: {},
    body: body(seed, length),
    zoom,
    ...more,
  };
}

function has(cache: ByteCache, key: string, seed: number, length: number): void {
  const hit = cache.get(key);
  assert.ok(hit, `${key} is not there`);
  assert.ok(hit.body.equals(body(seed, length)), `${key} has another body`);
}

test('an entry comes back as it was given, copied', () => {
  const { cache, ledger } = make();
  const given = tile(7, 1000, 3, { headers: { 'X-Tile-Dropped': '4' }, encoding: 'gzip' });
  assert.equal(cache.offer('k', given), true);
  given.body.fill(0);
  const hit = cache.get('k')!;
  assert.ok(hit.body.equals(body(7, 1000)));
  assert.deepEqual(
    [hit.etag, hit.contentType, hit.encoding, hit.headers, hit.length, hit.stale],
    ['"7"', 'image/png', 'gzip', { 'X-Tile-Dropped': '4' }, 1000, false],
  );
  assert.equal(ledger.inUse.cache, SEGMENT + overheadOf('k', given));
  assert.equal(cache.get('other'), undefined);
  cache.audit();
});

test('empty bodies weigh their records, so that a sea of empty tiles is bounded', () => {
  const { cache } = make();
  for (let i = 0; i < 20_000; i++) cache.offer(`14/${i}`, tile(0, 0));
  const { entries, bytes, maxBytes } = cache.stats();
  assert.ok(bytes <= maxBytes);
  assert.ok(entries > 100 && entries * 400 < maxBytes, `${entries}`);
  cache.audit();
});

test('too large an entry is refused and replaces nothing but its own key', () => {
  const { cache } = make({ maxEntryBytes: 1000 });
  cache.offer('k', tile(1, 900));
  assert.equal(cache.offer('other', tile(1, 1001)), false);
  assert.equal(cache.offer('k', tile(2, 1001)), false);
  assert.equal(cache.get('k'), undefined, 'what was there is older than what was refused');
  assert.equal(cache.stats().refused, 2);
});

test('high zooms go first, z0–z5 last', () => {
  const { cache } = make();
  for (let i = 0; i < 12; i++) cache.offer(`low/${i}`, tile(i, 10 * KIB, i % 6));
  for (let i = 0; i < 30; i++) cache.offer(`mid/${i}`, tile(100 + i, 10 * KIB, 8));
  for (let i = 0; i < 400; i++) cache.offer(`high/${i}`, tile(i, 10 * KIB, 16));
  for (let i = 0; i < 12; i++) has(cache, `low/${i}`, i, 10 * KIB);
  assert.ok(cache.get('high/399'));
  assert.equal(cache.get('high/0'), undefined);
});

test('z0–z5 beyond their share make way for others', () => {
  const { cache } = make();
  for (let i = 0; i < 200; i++) cache.offer(`low/${i}`, tile(i, 10 * KIB, 2));
  for (let i = 0; i < 12; i++) cache.offer(`high/${i}`, tile(i, 10 * KIB, 16));
  let high = 0;
  for (let i = 0; i < 12; i++) if (cache.get(`high/${i}`)) high++;
  assert.equal(high, 12);
});

test('what is asked for again and again stays while others pass through', () => {
  const { cache } = make();
  cache.offer('hot', tile(9, 5 * KIB));
  for (let i = 0; i < 2000; i++) {
    cache.offer(`cold/${i}`, tile(i, 5 * KIB));
    if (i % 5 === 0) has(cache, 'hot', 9, 5 * KIB);
  }
  const { carried, evictions } = cache.stats();
  assert.ok(carried > 0 && evictions > 1500);
  cache.audit();
});

test('a pinned body stands while all around it is evicted and shed; its segment goes with the last release', () => {
  const { cache, ledger } = make({ floorShare: 0 });
  cache.offer('k', tile(42, 3000));
  const hit = cache.get('k')!;
  const again = cache.get('k')!;
  hit.pin();
  again.pin();
  const view = hit.body;
  for (let i = 0; i < 500; i++) cache.offer(`x/${i}`, tile(i, 9000));
  cache.shed(Number.POSITIVE_INFINITY);
  assert.ok(view.equals(body(42, 3000)));
  assert.equal(cache.stats().entries, 0);
  assert.equal(ledger.inUse.cache, SEGMENT, 'still held by two readers');
  hit.release();
  hit.release();
  assert.equal(view.length, 3000);
  again.release();
  assert.equal(view.length, 0, 'given back');
  assert.equal(ledger.inUse.cache, 0);
  cache.audit();
});

test('with every segment being read there is no room, and no body is overwritten', () => {
  const { cache } = make({ maxBytes: 3 * SEGMENT + 16 * KIB });
  const hits: CacheHit[] = [];
  for (let i = 0; i < 3; i++) {
    assert.ok(cache.offer(`${i}`, tile(i, 60 * KIB)));
    hits.push(cache.get(`${i}`)!);
    hits[i].pin();
  }
  assert.equal(cache.offer('more', tile(9, 60 * KIB)), false);
  for (const [i, hit] of hits.entries()) assert.ok(hit.body.equals(body(i, 60 * KIB)));
  hits[1].release();
  assert.equal(cache.offer('more', tile(9, 60 * KIB)), true);
});

test('a hit that was kept without a pin fails rather than show another tile', () => {
  const { cache } = make();
  cache.offer('k', tile(1, 1000));
  const hit = cache.get('k')!;
  for (let i = 0; i < 500; i++) cache.offer(`x/${i}`, tile(i, 9000));
  assert.throws(() => hit.body, /after its segment was given up/);
  assert.throws(() => hit.pin(), /after its segment was given up/);
});

test('degraded answers go stale; only those who ask for stale ones see them', () => {
  const { cache, clock } = make();
  cache.offer('k', tile(1, 10, 14, { freshForMs: 15_000 }));
  clock.nowMs = 14_999;
  assert.equal(cache.get('k')?.stale, false);
  clock.nowMs = 15_000;
  assert.equal(cache.get('k'), undefined);
  assert.equal(cache.get('k', { stale: true })?.stale, true);
  assert.deepEqual([cache.stats().hits, cache.stats().staleHits, cache.stats().misses], [1, 1, 1]);
});

test('a swapped layer takes its entries along, and full segments that become empty go back', () => {
  const { cache, ledger } = make();
  for (let i = 0; i < 12; i++) cache.offer(`a/${i}`, tile(i, 20 * KIB, 14, { layer: 'a' }));
  for (let i = 0; i < 3; i++) cache.offer(`b/${i}`, tile(i, 20 * KIB, 3, { layer: 'b' }));
  assert.equal(cache.deleteLayer('a'), 12);
  assert.ok(ledger.inUse.cache < 3 * SEGMENT);
  assert.equal(cache.deletePrefix('b/'), 3);
  assert.equal(cache.stats().entries, 0);
  cache.audit();
});

test('shedding frees whole segments down to the floor, keeps what is hot and low, and grows back slowly', () => {
  const { cache, clock } = make();
  for (let i = 0; i < 5; i++) cache.offer(`low/${i}`, tile(i, 10 * KIB, 1));
  for (let i = 0; i < 100; i++) cache.offer(`high/${i}`, tile(i, 10 * KIB, 16));
  const { bytes: before, entries, evictions, shedEntries } = cache.stats();
  assert.deepEqual([entries + evictions, shedEntries], [105, 0], 'for room only');
  const some = cache.shed(SEGMENT);
  assert.ok(some >= SEGMENT && some < 2 * SEGMENT + 16 * KIB, `${some}`);
  assert.equal(cache.stats().bytes, before - some);
  assert.ok(cache.stats().shedEntries > 0);
  assert.equal(cache.stats().shedEntries, entries - cache.stats().entries);
  cache.shed(Number.POSITIVE_INFINITY);
  assert.ok(cache.stats().bytes <= 0.25 * 8 * SEGMENT);
  for (let i = 0; i < 5; i++) has(cache, `low/${i}`, i, 10 * KIB);
  const small = cache.stats().capBytes;
  for (let i = 0; i < 100; i++) cache.offer(`again/${i}`, tile(i, 10 * KIB, 16));
  assert.ok(cache.stats().bytes <= small);
  clock.nowMs = 2000;
  assert.equal(cache.stats().capBytes, small + 2 * SEGMENT);
  clock.nowMs = 60_000;
  assert.equal(cache.stats().capBytes, 8 * SEGMENT);
  cache.audit();
});

test('closing gives everything back', () => {
  const { cache, ledger } = make();
  for (let i = 0; i < 100; i++) cache.offer(`${i}`, tile(i, 10 * KIB, i % 20));
  cache.close();
  assert.equal(ledger.total, 0);
  cache.audit();
});

test('under any sequence: never above its bytes, the books agree, every hit has its own body', () => {
  const keys = fc.nat(25);
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        act: fc.constant('offer' as const),
        key: keys,
        length: fc.oneof({ weight: 5, arbitrary: fc.nat(24 * KIB) }, { weight: 1, arbitrary: fc.nat(70 * KIB) }),
        zoom: fc.nat(20),
      }),
    },
    { weight: 12, arbitrary: fc.record({ act: fc.constant('get' as const), key: keys }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('pin' as const, 'release' as const), key: keys }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('delete' as const), key: keys }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('shed' as const), bytes: fc.nat(8 * SEGMENT) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('wait' as const), ms: fc.nat(3000) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), fc.integer({ min: 2, max: 9 }), (steps, segments) => {
      const maxBytes = segments * SEGMENT + 8 * KIB;
      const { cache, ledger, clock } = make({ maxBytes });
      const latest = new Map<string, { seed: number; length: number }>();
      const pinned: { hit: CacheHit; view: Buffer; seed: number }[] = [];
      steps.forEach((step, seed) => {
        const key = 'key' in step ? `k${step.key}` : '';
        if (step.act === 'offer') {
          const taken = cache.offer(key, tile(seed, step.length, step.zoom));
          if (taken) latest.set(key, { seed, length: step.length });
          else latest.delete(key);
          if (step.length > SEGMENT) assert.equal(taken, false);
          else if (pinned.length === 0 && cache.stats().capBytes >= 2 * SEGMENT) assert.equal(taken, true);
        } else if (step.act === 'get' || step.act === 'pin') {
          const hit = cache.get(key);
          const known = latest.get(key);
          if (hit) {
            assert.ok(known && hit.body.equals(body(known.seed, known.length)));
            if (step.act === 'pin') {
              hit.pin();
              pinned.push({ hit, view: hit.body, seed: known.seed });
            }
          }
        } else if (step.act === 'release') pinned.shift()?.hit.release();
        else if (step.act === 'delete') {
          cache.delete(key);
          latest.delete(key);
        } else if (step.act === 'shed') cache.shed(step.bytes);
        else if (step.act === 'wait') clock.nowMs += step.ms;
        cache.audit();
        ledger.audit();
        assert.ok(ledger.inUse.cache <= maxBytes, `${ledger.inUse.cache} of ${maxBytes}`);
        for (const { view, seed, hit } of pinned)
          assert.ok(view.equals(body(seed, hit.length)), 'a pinned body changed');
      });
      for (const { hit } of pinned) hit.release();
      cache.close();
      assert.equal(ledger.total, 0);
    }),
    { numRuns: 80 },
  );
});

test('a scan of many answers that nobody asks for again flushes no map that people look at', () => {
  for (const zoom of [14, null]) {
    const { cache } = make();
    const map = Array.from({ length: 20 }, (_, i) => `map/${i}`);
    for (const [i, key] of map.entries()) assert.ok(cache.offer(key, tile(i, 2048)));
    // Ten times what the cache holds; meanwhile every tile of the map is asked for now and then.
    for (let i = 0; i < 2560; i++) {
      assert.ok(cache.offer(`scan/${i}`, tile(i, 2048, zoom)));
      if (i % 5 === 0) has(cache, map[(i / 5) % map.length], (i / 5) % map.length, 2048);
    }
    for (const [i, key] of map.entries()) has(cache, key, i, 2048);
    assert.equal(cache.get('scan/0'), undefined);
    cache.audit();
  }
});
