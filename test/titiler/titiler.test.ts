/** titiler itself as the second oracle: the same URL, the same picture and the same numbers; what differs is in docs/titiler.md. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import type { App } from '../../src/app.ts';
import { DEMO, SHARED, testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { findPython } from '../oracle/python.ts';
import { type Pair, pairsOf, type Raster } from './pairs.ts';

const found = findPython('titiler.core', 'starlette.testclient', 'numpy');
const skip = WITHOUT_SHARED || ('reason' in found ? found.reason : false);

/** Of 255, on average over all channels. */
const IMAGE_MAX = 2;
const NUMBER_MAX = 1e-6;

const shared = (name: string) => join(SHARED, 'raster', name);
/** Tiles and windows lie where pixels are about those of the file: how a coarser picture is picked is another matter (docs/titiler.md). */
const RASTERS: readonly Raster[] = [
  {
    file: join(DEMO, 'elevation.tif'),
    tile: [2, 2, 1],
    box: [5, 40, 25, 52],
    bands: 1,
    range: '0,4000',
    degrees: true,
  },
  {
    file: shared('bluemarble_4326_deflate.tif'),
    tile: [4, 8, 5],
    box: [0, 35, 20, 50],
    bands: 3,
    range: '0,255',
    degrees: true,
  },
  { file: shared('rt_cog.tif'), tile: [10, 347, 198], box: [-58, 73.3, -57.5, 73.5], bands: 1, range: '0,8000' },
  {
    file: shared('dsm_nrw_25832_f32_zstd.tif'),
    tile: [17, 68061, 43631],
    box: [6.931, 51.4255, 6.937, 51.43],
    bands: 1,
    range: '40,120',
  },
  { file: shared('tt_TCI.tif'), tile: [11, 1158, 831], box: [23.5, 31.9, 23.7, 32.1], bands: 3, range: '0,255' },
  { file: shared('rt_web.tif'), tile: [8, 74, 91], box: [-77, 45, -75.5, 46.2], bands: 1, range: '0,5000' },
];

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

function askTitiler(pairs: readonly Pair[]): Answer[] {
  const script = join(import.meta.dirname, '../oracle/titiler-answers.py');
  const input = pairs
    .map(({ file, method, path, query, theirs, body }) => {
      const all = [`url=${encodeURIComponent(file)}`, query, theirs].filter(Boolean).join('&');
      return JSON.stringify({ method, path, query: all, body: body ?? null });
    })
    .join('\n');
  const run = spawnSync((found as { python: string }).python, [script], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 29,
  });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
    .map(({ body, ...rest }) => ({ ...rest, body: Buffer.from(body, 'base64') }));
}

/** Mean difference of all channels, colours as far as they are seen. */
async function difference(ours: Buffer, theirs: Buffer): Promise<number> {
  const [a, b] = await Promise.all(
    [ours, theirs].map(image =>
      sharp(image).toColourspace('srgb').ensureAlpha().raw().toBuffer({ resolveWithObject: true }),
    ),
  );
  assert.deepEqual([a.info.width, a.info.height], [b.info.width, b.info.height]);
  let sum = 0;
  for (let i = 0; i < a.data.length; i += 4) {
    const [alphaA, alphaB] = [a.data[i + 3], b.data[i + 3]];
    for (let c = 0; c < 3; c++) sum += Math.abs((a.data[i + c] * alphaA - b.data[i + c] * alphaB) / 255);
    sum += Math.abs(alphaA - alphaB);
  }
  return sum / a.data.length;
}

/** Where numbers differ; null where none does. */
function numbersDiffer(ours: unknown, theirs: unknown, except: readonly string[], at = ''): string | null {
  if (typeof theirs === 'number' && typeof ours === 'number')
    return Math.abs(ours - theirs) <= NUMBER_MAX * Math.max(1, Math.abs(theirs))
      ? null
      : `${at}: ${ours} for ${theirs}`;
  if (typeof theirs === 'object' && theirs !== null && typeof ours === 'object' && ours !== null) {
    for (const [key, value] of Object.entries(theirs)) {
      if (except.includes(key)) continue;
      const fault = numbersDiffer((ours as Record<string, unknown>)[key], value, except, `${at}/${key}`);
      if (fault) return fault;
    }
    return null;
  }
  return ours === theirs || theirs === null ? null : `${at}: ${JSON.stringify(ours)} for ${JSON.stringify(theirs)}`;
}

describe('titiler gives the same', { skip }, () => {
  let folder: string;
  let app: App;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-titiler-'));
    for (const { file } of RASTERS) symlinkSync(file, join(folder, basename(file)));
    app = await testApp({ paths: [folder] });
  });
  after(async () => {
    await app?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('pictures and numbers of every pair', async t => {
    const pairs = RASTERS.flatMap(pairsOf);
    assert.ok(pairs.length >= 100, `${pairs.length}`);
    const theirs = askTitiler(pairs);
    const faults: string[] = [];
    let worst = 0;
    for (const [i, { file, method, path, query, body, except = [] }] of pairs.entries()) {
      const url = `/cog${path}?url=${basename(file)}&${query}`;
      const answer = await app.server.inject({ method, url, ...(body ? { payload: body } : {}) });
      const fault = await compare(answer, theirs[i], except, found => {
        worst = Math.max(worst, found);
      });
      if (fault) faults.push(`${url} ${fault}`);
    }
    t.diagnostic(`${pairs.length} pairs, the pictures differ by at most ${worst.toFixed(2)} of 255 on average`);
    assert.deepEqual(faults, []);
  });
});

async function compare(
  ours: { statusCode: number; body: string; rawPayload: Buffer; json(): unknown },
  theirs: Answer,
  except: readonly string[],
  note: (difference: number) => void,
): Promise<string | null> {
  if (ours.statusCode !== theirs.status)
    return `${ours.statusCode} for ${theirs.status}: ${ours.body.slice(0, 200)} ${theirs.body.toString().slice(0, 200)}`;
  if (!theirs.type.startsWith('image/')) return numbersDiffer(ours.json(), JSON.parse(theirs.body.toString()), except);
  try {
    const by = await difference(ours.rawPayload, theirs.body);
    if (by <= IMAGE_MAX) note(by);
    return by <= IMAGE_MAX ? null : `differs by ${by.toFixed(2)}`;
  } catch (error) {
    return `${(error as Error).message.replaceAll('\n', ' ').slice(0, 200)}`;
  }
}
