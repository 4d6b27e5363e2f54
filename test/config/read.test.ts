/** No setting is there for nothing: each key is read by what builds the server, or by the entry of the process. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { envLeaves } from '../../src/config/env.ts';
import type { Config } from '../../src/config/load.ts';
import { inputSchema } from '../../src/config/schema.ts';
import { testApp } from '../lib/app.ts';

/** What the app has no use for: src/main.ts reads it, before or after there is one. */
const OF_THE_PROCESS: Readonly<Record<string, RegExp>> = {
  'server.host': /host: config\.server\.host\b/,
  'server.port': /port: config\.server\.port\b/,
  'server.shutdownTimeout': /\}, config\.server\.shutdownTimeout\)/,
  'log.level': /level: config\.log\.level\b/,
};

const LEAVES = new Set([...envLeaves(inputSchema()).values()].map(({ path }) => path.join('.')));

/** The same values; each leaf that is read is put down. The loaded one is frozen, which a Proxy may not go against. */
function recording(config: Config, read: Set<string>): Config {
  const copy = (value: object, path: string): object => {
    const made = {};
    for (const [key, child] of Object.entries(value)) {
      const name = path === '' ? key : `${path}.${key}`;
      const leaf = LEAVES.has(name) || typeof child !== 'object' || child === null;
      const given = leaf || key === 'layers' || key === 'tileMatrixSets' ? child : copy(child, name);
      const get = () => {
        if (leaf) read.add(name);
        return given;
      };
      Object.defineProperty(made, key, { enumerable: true, get });
    }
    return made;
  };
  return copy(config, '') as Config;
}

test('every key is read', async () => {
  const read = new Set<string>();
  // With it there is a reader of other servers, which has settings of its own.
  const set = { 'remote.allow': 'https://data.example.org/', 'discovery.watch': 'true' };
  const app = await testApp({ set, watched: config => recording(config, read) });
  try {
    for (const url of [
      '/layers',
      '/tiles/countries/2/1/1.mvt?filter=mapcolor9%3D1',
      '/cog/preview.webp?url=world&max_size=64',
      '/api',
    ])
      assert.equal((await app.server.inject(url)).statusCode, 200, url);
    const main = readFileSync(new URL('../../src/main.ts', import.meta.url), 'utf8');
    for (const [key, where] of Object.entries(OF_THE_PROCESS)) assert.match(main, where, key);
    assert.deepEqual(
      [...LEAVES].filter(key => !read.has(key) && OF_THE_PROCESS[key] === undefined),
      [],
      'documented and read by nothing: wire it or take it out of the schema',
    );
    assert.deepEqual(
      Object.keys(OF_THE_PROCESS).filter(key => !LEAVES.has(key) || read.has(key)),
      [],
      'no exception any more',
    );
  } finally {
    await app.close();
  }
});
