/** Files that several mosaics hold: open once, closed with the last, booked while they are open. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem } from '../../src/errors.ts';
import { createMembers } from '../../src/layers/members.ts';
import type { OpenDeps } from '../../src/layers/open.ts';
import { createLedger } from '../../src/memory/ledger.ts';
import type { Source } from '../../src/source/types.ts';

const HERE = import.meta.filename;

test('a file is open once, until the last that holds it lets it go', async () => {
  const log: string[] = [];
  let failing = true;
  const ledger = createLedger();
  const deps: OpenDeps = {
    ledger,
    zoomsOf: () => ({ minzoom: 0, maxzoom: 0 }),
    open: async ({ href }, { nodata }) => {
      log.push(`open ${nodata}`);
      await new Promise(done => setImmediate(done));
      if (nodata === -1 && failing) throw problem('corrupt-data', `${href} is bad`);
      return { residentBytes: 100, close: async () => void log.push(`close ${nodata}`) } as Partial<Source> as Source;
    },
  };
  const members = createMembers(deps);
  const file = { path: HERE, look: 'a' };
  const [one, two] = await Promise.all([members.open(file, {}), members.open(file, {})]);
  assert.equal(one.source, two.source);
  assert.equal(ledger.inUse.index, 100);
  const other = await members.open(file, { nodata: 7 });
  assert.equal(ledger.inUse.index, 200);
  one.release();
  one.release();
  assert.deepEqual(log, ['open undefined', 'open 7']);
  two.release();
  other.release();
  assert.deepEqual(log, ['open undefined', 'open 7', 'close undefined', 'close 7']);
  assert.equal(ledger.inUse.index, 0);
  // What failed is tried again.
  await assert.rejects(members.open(file, { nodata: -1 }), /is bad/);
  failing = false;
  (await members.open(file, { nodata: -1 })).release();
  assert.deepEqual(log.slice(4), ['open -1', 'open -1', 'close -1']);
});
