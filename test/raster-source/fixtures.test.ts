/**
 * Awkward TIFFs: each is served exactly as GDAL reads it, or refused with its code and a command that mends it. One line
 * a case, in scripts/tiff_fixtures.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ERRORS, Problem } from '../../src/errors.ts';
import { statRef } from '../../src/io/bytes.ts';
import { createRasterPainter } from '../../src/render/raster/paint.ts';
import { type CogSource, openCog } from '../../src/source/tiff/open.ts';
import type { Reason } from '../../src/source/types.ts';
import { findPython } from '../oracle/python.ts';
import { startGdal } from '../raster/gdal.ts';
import { compareFacts, compareSamples, placeError } from './compare.ts';
import { askOracle, type Fixture, makeFixtures, NO_PYTHON, type Oracle, readWindow } from './oracle.ts';
import { paintedDifferences } from './painted.ts';

/** Reasons, from a source that is not servable or from an open that threw. */
async function judge(path: string): Promise<{ source: CogSource | null; reasons: readonly Reason[] }> {
  try {
    const source = await openCog(statRef(path));
    return { source, reasons: source.verdict.reasons };
  } catch (error) {
    assert.ok(error instanceof Problem, `a Problem, not ${error}`);
    assert.equal(error.code, 'layer-not-servable');
    return { source: null, reasons: error.extra.reasons as Reason[] };
  }
}

const found = findPython('rasterio', 'pyproj');
const ROOT = new URL('../../', import.meta.url);

const NO_TRANSLATE =
  spawnSync('gdal_translate', ['--version']).status === 0 ? false : 'no gdal_translate to try the remedies with';

suite('awkward TIFFs', { skip: NO_PYTHON }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-tiffs-'));
  const twinOf = ({ file, oracle }: Fixture) => join(folder, oracle ?? file);
  let cases: Fixture[] = [];
  let oracles = new Map<string, Oracle>();

  before(() => {
    cases = makeFixtures(folder);
    const asked = cases.filter(each => !each.unmade && !each.read && each.expect === 'served');
    oracles = askOracle(4, 1, asked.map(twinOf));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('each is served as GDAL reads it or refused with its code', async t => {
    assert.ok(cases.length > 380, `${cases.length} cases`);
    for (const fixture of cases) {
      const { file, expect, read, unmade } = fixture;
      const skip = unmade ? `this Python cannot write it: ${unmade}` : false;
      await t.test(`${file}: ${expect}${read ? `, then ${read}` : ''}`, { skip }, async () => {
        const { source, reasons } = await judge(join(folder, file));
        if (expect !== 'served') refused(fixture, reasons);
        else if (read) await unreadable(source!, reasons, read);
        else await served(source!, reasons, oracles.get(twinOf(fixture))!, fixture);
        await source?.close();
      });
    }
  });

  test('each is painted as GDAL reads and warps it, whole and as a tile', async t => {
    const rig = { gdal: startGdal((found as { python: string }).python), painter: createRasterPainter() };
    try {
      // Of the matrix of codecs and types every block has been compared already, and there is nothing else about them.
      const shown = cases.filter(
        each => !each.unmade && !each.read && each.expect === 'served' && !/^m-/.test(each.file),
      );
      for (const fixture of shown) {
        await t.test(fixture.file, async () => {
          const differences = await paintedDifferences(rig, join(folder, fixture.file), twinOf(fixture), fixture);
          assert.deepEqual(differences, []);
        });
      }
    } finally {
      rig.gdal.close();
      await rig.painter.close();
    }
  });

  test('docs/awkward-tiffs.md names every fixture, and nothing that is not there', () => {
    const text = readFileSync(new URL('docs/awkward-tiffs.md', ROOT), 'utf8');
    const rows = text.slice(text.indexOf('|---')).split('\n').slice(1).filter(Boolean);
    assert.ok(rows.length > 50, `${rows.length} rows`);
    const names = new Set(cases.map(({ file }) => file.replace('.tif', '')));
    const codes = new Set<string>(cases.flatMap(({ expect, notes = [] }) => [expect, ...notes]));
    const named = new Set<string>();
    for (const row of rows) {
      const [, , here, proofs] = row.split('|');
      for (const [code] of here.matchAll(/tiff-[a-z0-9-]+/g)) assert.ok(codes.has(code), `no fixture has ${code}`);
      const patterns = [...proofs.matchAll(/`([^`]+)`/g)].map(found => found[1]);
      const tests = proofs.match(/test\/[a-z./-]+\.ts/g) ?? [];
      assert.ok(patterns.length + tests.length > 0, `nothing holds: ${row}`);
      for (const path of tests) assert.ok(existsSync(new URL(path, ROOT)), path);
      for (const pattern of patterns) {
        const alike = [...names].filter(name => new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name));
        assert.ok(alike.length > 0, `${pattern} is not a fixture`);
        for (const name of alike) named.add(name);
      }
    }
    assert.deepEqual(
      [...names].filter(name => !named.has(name)),
      [],
    );
  });

  test('the remedies are true: what gdal_translate makes of a refused file is served', {
    skip: NO_TRANSLATE,
  }, async () => {
    const tried = new Set<string>();
    for (const { file, expect, sound } of cases.filter(each => each.sound && !each.unmade)) {
      const { reasons } = await judge(join(folder, file));
      const { remedy } = reasons.find(reason => reason.code === expect) as Reason;
      if (!sound || !remedy?.startsWith('gdal')) continue;
      const line = remedy
        .replace(/ \(.*\)$/, '')
        .replace('EPSG:CODE', 'EPSG:32631')
        .replace('OUT.tif', `OUT-${file}`);
      const filled = line.replace('MINX MAXY MAXX MINY', '500000 5000000 500700 4999500');
      execFileSync('sh', ['-c', filled], { cwd: folder, stdio: 'ignore' });
      const mended = await judge(join(folder, `OUT-${file}`));
      assert.deepEqual(mended.reasons, [], `${file}: ${filled}`);
      await mended.source?.close();
      tried.add(expect);
    }
    assert.ok(tried.size >= 8, [...tried].join());
  });
});

function refused({ expect }: Fixture, reasons: readonly Reason[]): void {
  const codes = reasons.map(reason => reason.code);
  if (expect === '*') assert.ok(codes.length > 0);
  else assert.ok(codes.includes(expect), codes.join() || 'served');
  for (const { code, detail, remedy } of reasons) {
    assert.match(code, /^tiff-[a-z0-9-]+$/);
    assert.ok(detail.length > 10 && remedy, `${code}: "${detail}" mended by "${remedy}"`);
  }
}

/** Every block of every level is asked for; at least one must be refused, and none may fail in another way. */
async function unreadable(source: CogSource, reasons: readonly Reason[], expected: string): Promise<void> {
  assert.deepEqual(reasons, []);
  const whole = { x: 0, y: 0, w: source.width, h: source.height };
  await assert.rejects(readWindow(source, source.levels[0], whole), (error: Problem) => {
    assert.ok(error instanceof Problem, `a Problem, not ${error}`);
    assert.ok(error.code in ERRORS);
    assert.equal(error.code, expected, error.message);
    return true;
  });
}

async function served(source: CogSource, reasons: readonly Reason[], oracle: Oracle, fixture: Fixture): Promise<void> {
  assert.deepEqual(reasons, []);
  assert.equal(oracle.error, undefined);
  compareFacts(source, oracle, fixture);
  const notes = source.verdict.notes.map(note => note.code);
  for (const note of fixture.notes ?? []) assert.ok(notes.includes(note), `${note} is not among ${notes}`);
  const error = placeError(source, oracle);
  assert.ok(error < (fixture.place ?? 1), `${error} m from PROJ's place in ${source.crs}`);
  assert.ok((await compareSamples(source, oracle, fixture.tolerance)) > 0);
}
