import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { SHARED, testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { checkTile } from '../lib/mvt-check.ts';
import { findPython } from '../oracle/python.ts';

const VECTOR = join(SHARED, 'vector');
const COUNTRIES = join(VECTOR, 'ne_10m_admin_0_countries.fgb');
const found = existsSync(COUNTRIES)
  ? findPython('pyogrio', 'shapely', 'numpy')
  : { reason: WITHOUT_SHARED || 'no countries file' };
const python = 'python' in found ? found.python : '';
const skip = 'reason' in found ? found.reason : false;

let app: App;
before(async () => {
  if (!WITHOUT_SHARED) app = await testApp({ paths: [VECTOR] });
});
after(() => app?.close());

async function tile(id: string, z: number, x: number, y: number): Promise<Uint8Array | null> {
  const answer = await app.server.inject(`/tiles/${id}/${z}/${x}/${y}.mvt`);
  assert.ok([200, 204].includes(answer.statusCode), `${id} ${z}/${x}/${y}: ${answer.body}`);
  return answer.statusCode === 204 ? null : answer.rawPayload;
}

/** The tile in the middle of the bounds, and its neighbours along the diagonal. */
function middleTiles([w, s, e, n]: readonly number[], z: number): [number, number][] {
  const size = 2 ** z;
  const lat = Math.max(-85, Math.min(85, (s + n) / 2));
  const x = Math.floor(Math.min(size - 1, (((w + e) / 2 + 180) / 360) * size));
  const rad = (lat * Math.PI) / 180;
  const y = Math.floor(((1 - Math.asinh(Math.tan(rad)) / Math.PI) / 2) * size);
  return [-1, 0, 1].map(d => [Math.max(0, Math.min(size - 1, x + d)), Math.max(0, Math.min(size - 1, y + d))]);
}

describe('every vector file of the shared data', { skip: WITHOUT_SHARED }, () => {
  test('is served as valid MVT 2.1, z0–z14, or refused with its code', async () => {
    let tiles = 0;
    for (const layer of app.catalogue.list()) {
      if (!layer.verdict.servable) {
        assert.match(layer.verdict.reasons[0].code, /^fgb-/, layer.id);
        const answer = await app.server.inject(`/tiles/${layer.id}/0/0/0.mvt`);
        assert.equal(answer.statusCode, 422);
        assert.equal(answer.json().reasons[0].code, layer.verdict.reasons[0].code);
        continue;
      }
      // What lies beyond web mercator says so, and is drawn nowhere.
      const beyond = layer.verdict.notes.some(({ code }) => code === 'fgb-beyond-mercator');
      let seen = 0;
      for (let z = 0; z <= 14; z += z < 6 ? 1 : 2) {
        for (const [x, y] of middleTiles(layer.lonLatBounds as readonly number[], z)) {
          const body = await tile(layer.id, z, x, y);
          if (body === null) continue;
          const { faults, layers } = checkTile(body);
          assert.deepEqual(faults.slice(0, 3), [], `${layer.id} ${z}/${x}/${y}`);
          seen += layers[0].features.length;
          tiles++;
        }
      }
      assert.equal(seen > 0, !beyond, `${layer.id} drew ${seen} features`);
    }
    assert.ok(tiles > 500, `${tiles} tiles`);
  });
});

test('countries: every polygon that a clip by GEOS keeps (a pixel or more) is in the tile, z0–z14', {
  skip,
}, async () => {
  const script = join(import.meta.dirname, '../oracle/clip-keeps.py');
  const lines = execFileSync(python, [script, COUNTRIES], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .trim()
    .split('\n');
  let kept = 0;
  for (const line of lines) {
    const { z, x, y, ids } = JSON.parse(line) as { z: number; x: number; y: number; ids: number[] };
    const body = await tile('ne_10m_admin_0_countries', z, x, y);
    const have = new Set(body === null ? [] : checkTile(body).layers[0].features.map(f => f.id));
    const missing = ids.filter(id => !have.has(id));
    assert.deepEqual(missing, [], `${z}/${x}/${y}`);
    kept += ids.length;
  }
  assert.ok(lines.length > 300 && kept > 1000, `${lines.length} tiles, ${kept} polygons`);
});
