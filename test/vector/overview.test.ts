/** FILE.plo: the same tiles as without it, from few bytes; never used where it is stale or damaged. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inspectFile } from '../../src/commands/inspect.ts';
import { overview } from '../../src/commands/overview.ts';
import { buildOverview } from '../../src/commands/overview-build.ts';
import { Problem } from '../../src/errors.ts';
import { testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { heaviest } from './heaviest.ts';
import { type FgbLayer, openLayer, seeded, tileOf, VECTOR } from './rig.ts';

const dir = mkdtempSync(join(tmpdir(), 'plimsoll-overview-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const FILE = join(dir, 'cities.fgb');
const PLO = `${FILE}.plo`;
const OPTIONS = { pointCount: true, maxFeatures: 3000 };
const quiet = { crs: null, memoryBytes: 64 * 2 ** 20, share: 0.25, progress: () => {} };

/** Tiles of thinned zooms, and what they are without an overview. */
let wanted: { z: number; x: number; y: number; body: Buffer; dropped: number }[] = [];

async function differing(layer: FgbLayer): Promise<string[]> {
  const wrong: string[] = [];
  for (const { z, x, y, body, dropped } of wanted) {
    const tile = await tileOf(layer, z, x, y);
    const same = tile && body.equals(tile.body) && tile.dropped === dropped;
    if (!same) wrong.push(`${z}/${x}/${y}`);
  }
  return wrong;
}

const open = () => openLayer(FILE, OPTIONS);

describe('the overview of 49,025 points', { skip: WITHOUT_SHARED }, () => {
  before(async () => {
    copyFileSync(join(VECTOR, 'cities_pop5000.fgb'), FILE);
    const layer = await open();
    for (const { z, x, y } of await heaviest(layer, [0, 1, 2, 3, 4, 5, 6, 7], 3)) {
      const tile = await tileOf(layer, z, x, y);
      if (tile) wanted.push({ z, x, y, body: Buffer.from(tile.body), dropped: tile.dropped });
    }
    assert.ok(wanted.filter(({ dropped }) => dropped > 0).length > 12);
    await layer.source.close();
    await buildOverview(FILE, quiet);
  });

  test('is the same file in one pass or in many, leaves nothing else behind, and is told by inspect', async () => {
    const once = readFileSync(PLO);
    await buildOverview(FILE, { ...quiet, memoryBytes: 2 ** 20 });
    assert.ok(once.equals(readFileSync(PLO)));
    assert.deepEqual(readdirSync(dir).sort(), ['cities.fgb', 'cities.fgb.plo']);
    const facts = await inspectFile(FILE, null);
    const { steps } = facts['overview'] as { steps: { step: number; entries: number; copied: boolean }[] };
    assert.ok(steps.length > 4 && steps[0].copied);
    for (let i = 1; i < steps.length; i++) assert.ok(steps[i].entries > steps[i - 1].entries);
  });

  test('gives the same tiles, counts and X-Tile-Dropped, from a fraction of the bytes', async () => {
    const layer = await open();
    assert.ok(layer.source.overview.current);
    assert.deepEqual(await differing(layer), []);
    const [{ z, x, y }] = wanted;
    const [near, far] = [
      await tileOf(layer, z, x, y),
      await tileOf(await openLayer(FILE, OPTIONS, { overview: false }), z, x, y),
    ];
    assert.ok(near && far && near.cost.inputBytes * 4 < far.cost.inputBytes);
    await layer.source.close();
  });

  test('with entries alone it says where the features are in the file', async () => {
    await buildOverview(FILE, { ...quiet, share: 0 });
    const layer = await open();
    assert.equal(layer.source.overview.current?.meta.levels[0].featuresAt, null);
    assert.deepEqual(await differing(layer), []);
    await layer.source.close();
    await buildOverview(FILE, quiet);
  });

  test('is not used where the file is newer, another, or in another CRS; /layers says so', async () => {
    const good = readFileSync(FILE);
    const refused = async (why: RegExp, crs?: string) => {
      const layer = await openLayer(FILE, { ...OPTIONS, ...(crs ? { crs } : {}) });
      const [note] = layer.verdict.notes;
      assert.equal(note?.code, 'fgb-overview-stale');
      assert.match(note.detail, why);
      assert.equal(note.remedy, `plimsoll overview ${FILE}`);
      if (!crs) assert.deepEqual(await differing(layer), []);
      await layer.source.close();
    };
    await refused(/made for EPSG:4326, the layer is in EPSG:4258/, 'EPSG:4258');
    utimesSync(FILE, new Date(), new Date(Date.now() + 60_000));
    await refused(/the file is newer/);
    const app = await testApp({ paths: [FILE] });
    const answer = await app.server.inject('/layers/cities');
    assert.equal(
      answer.json().notes?.[0]?.code ?? answer.json().verdict?.notes?.[0]?.code,
      'fgb-overview-stale',
      answer.body,
    );
    await app.close();
    const other = Buffer.from(good);
    other.write('Q', other.indexOf('population') + 1);
    writeFileSync(FILE, other);
    utimesSync(FILE, new Date(0), new Date(0));
    const changed = await openLayer(FILE, OPTIONS);
    assert.match(changed.verdict.notes[0]?.detail ?? '', /another file of the same size/);
    await changed.source.close();
    writeFileSync(FILE, Buffer.concat([good, Buffer.alloc(8)]));
    assert.match(
      (await openLayer(FILE, OPTIONS)).verdict.notes[0]?.detail ?? '',
      /8204296 bytes, the file has 8204304/,
    );
    writeFileSync(FILE, good);
    await buildOverview(FILE, quiet);
  });

  test('mutants and truncations: the right tiles, or corrupt-data, never others', async () => {
    const good = readFileSync(PLO);
    const rnd = seeded(5);
    const runs = process.env['PLIMSOLL_TEST_FULL'] === '1' ? 2000 : 120;
    const measured = await open();
    await differing(measured);
    const seen = { unused: 0, abandoned: 0, failed: 0, harmless: 0 };
    wanted = wanted.filter((_, i) => i % 5 === 0);
    for (let i = 0; i < runs; i++) {
      const bad = Buffer.from(good);
      const where = i % 3 === 0 ? Math.floor(rnd() ** 6 * 3000) : Math.floor(rnd() * bad.length);
      for (let k = 0; k < 1 + (i % 40); k++)
        bad[Math.min(bad.length - 1, where + k * 97)] ^= 1 + Math.floor(rnd() * 255);
      writeFileSync(PLO, i % 7 === 0 ? bad.subarray(0, Math.floor(rnd() * bad.length)) : bad);
      const layer = await open();
      const { overview: slot } = layer.source;
      // The cells of the zooms are the layer's, whatever its overview: to choose them is most of the work.
      for (const [key, step] of measured.source.lod) layer.source.lod.set(key, step);
      const used = slot.current !== null;
      try {
        assert.deepEqual(await differing(layer), [], `mutant ${i} at ${where}`);
        if (!used) seen.unused++;
        else if (slot.current === null) seen.abandoned++;
        else seen.harmless++;
        if (slot.current === null) assert.equal(layer.verdict.notes.at(-1)?.code, 'fgb-overview-corrupt');
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        assert.equal(error.code, 'corrupt-data', error.message);
        seen.failed++;
      } finally {
        await layer.source.close();
      }
    }
    assert.ok(seen.unused > 20 && seen.abandoned > 0 && seen.failed > 0, JSON.stringify(seen));
    writeFileSync(PLO, good);
  });

  test('the command: a bar on a terminal, lines elsewhere, a remedy where a file cannot be served', async () => {
    const run = async (files: string[], terminal: boolean) => {
      const told = { out: [] as string[], err: [] as string[], part: [] as string[] };
      const output = {
        terminal,
        out: (line: string) => told.out.push(line),
        err: (line: string) => told.err.push(line),
        part: (text: string) => told.part.push(text),
      };
      return { code: await overview(files, { crs: null, memoryBytes: 2 ** 26, share: 0.25 }, output), ...told };
    };
    const lines = await run([FILE], false);
    assert.equal(lines.code, 0);
    assert.match(lines.out[0], /cities\.fgb\.plo: .*MiB, \d+ steps, \d+ with their features/);
    assert.ok(lines.err.length > 10 && lines.err.length < 60 && lines.part.length === 0);
    const drawn = await run([FILE], true);
    assert.ok(drawn.part.length > 10 && drawn.err.length === 0);
    assert.match(drawn.part.at(-2) ?? '', /█{30} +100 %/);
    const refused = await run([join(VECTOR, 'fgb_topp_states.fgb')], false);
    assert.equal(refused.code, 1);
    assert.match(refused.err.join('\n'), /fgb-version.*\n.*remedy: ogr2ogr/);
  });
});
