/** Awkward TIFFs: each is served exactly as GDAL reads it, or refused with its code. One line a case, in the script. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Problem } from '../../src/errors.ts';
import { statRef } from '../../src/io/bytes.ts';
import { type CogSource, openCog } from '../../src/source/tiff/open.ts';
import type { Reason } from '../../src/source/types.ts';
import { compareFacts, compareSamples, placeError } from './compare.ts';
import { askOracle, makeFixtures, NO_PYTHON, type Oracle } from './oracle.ts';

interface Case {
  readonly file: string;
  readonly expect: string;
  readonly tolerance: number;
  readonly unmade?: string;
}

/** Reason codes, from a source that is not servable or from an open that threw. */
async function judge(path: string): Promise<{ source: CogSource | null; codes: string[] }> {
  try {
    const source = await openCog(statRef(path));
    return { source, codes: source.verdict.reasons.map(reason => reason.code) };
  } catch (error) {
    assert.ok(error instanceof Problem, `a Problem, not ${error}`);
    assert.equal(error.code, 'layer-not-servable');
    return { source: null, codes: (error.extra.reasons as Reason[]).map(reason => reason.code) };
  }
}

suite('awkward TIFFs', { skip: NO_PYTHON }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-tiffs-'));
  let cases: Case[] = [];
  let oracles = new Map<string, Oracle>();

  before(() => {
    makeFixtures(folder);
    cases = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    oracles = askOracle(
      4,
      1,
      cases.filter(each => !each.unmade && each.expect === 'served').map(each => join(folder, each.file)),
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('each is served as GDAL reads it or refused with its code', async t => {
    assert.ok(cases.length > 250, `${cases.length} cases`);
    for (const { file, expect, tolerance, unmade } of cases) {
      await t.test(
        `${file}: ${expect}`,
        { skip: unmade ? `this GDAL cannot write it: ${unmade}` : false },
        async () => {
          const path = join(folder, file);
          const { source, codes } = await judge(path);
          if (expect === '*') assert.ok(codes.length > 0);
          else if (expect !== 'served') assert.ok(codes.includes(expect), codes.join() || 'served');
          else await served(source!, codes, oracles.get(path)!, tolerance);
          await source?.close();
        },
      );
    }
  });
});

async function served(source: CogSource, codes: string[], oracle: Oracle, tolerance: number): Promise<void> {
  assert.deepEqual(codes, []);
  assert.equal(oracle.error, undefined);
  compareFacts(source, oracle);
  assert.ok(placeError(source, oracle) < 1, `${placeError(source, oracle)} m from PROJ's place in ${source.crs}`);
  assert.ok((await compareSamples(source, oracle, tolerance)) > 0);
}
