/** Counters count what they say: figures of /metrics before and after one request of each kind. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';

let app: App;
before(async () => {
  app = await testApp({ set: { 'vector.maxFeatures': '20' } });
});
after(() => app.close());

type Figures = ReadonlyMap<string, number>;

async function figures(): Promise<Figures> {
  const { body } = await app.server.inject('/metrics');
  return new Map(
    [...body.matchAll(/^(plimsoll_\S+) (\S+)$/gm)].map(([, name, value]) => [name as string, Number(value)]),
  );
}

/** By how much each of them changed while this was done; what is as it was is left out. */
async function moved(work: () => Promise<unknown>, names: readonly string[]): Promise<Record<string, number>> {
  const first = await figures();
  await work();
  const then = await figures();
  const changes = names.map(name => [name, (then.get(name) ?? 0) - (first.get(name) ?? 0)] as const);
  return Object.fromEntries(changes.filter(([, change]) => change !== 0));
}

const get = async (url: string) => {
  const answer = await app.server.inject(url);
  assert.equal(answer.statusCode, 200, url);
};

const OF_A_TILE = [
  'plimsoll_http_requests_total{route="/tiles/:layers/:z/:x/:y",method="GET",status="200"}',
  'plimsoll_cache_requests_total{result="miss"}',
  'plimsoll_cache_requests_total{result="hit"}',
  'plimsoll_cache_entries',
  'plimsoll_admission_outcomes_total{outcome="admitted"}',
  'plimsoll_admission_wait_seconds_count{class="tile"}',
  'plimsoll_rung_total{rung="full"}',
  'plimsoll_jobs_total{outcome="done"}',
  'plimsoll_render_seconds_count{operation="raster-tile"}',
] as const;

test('a cold tile, then the same again', async () => {
  const [requests, miss, hit, entries, admitted, waited, full, done, rendered] = OF_A_TILE;
  assert.deepEqual(await moved(() => get('/tiles/world/1/1/0.png'), OF_A_TILE), {
    [requests]: 1,
    [miss]: 1,
    [entries]: 1,
    [admitted]: 1,
    [waited]: 1,
    [full]: 1,
    [done]: 1,
    [rendered]: 1,
  });
  assert.deepEqual(await moved(() => get('/tiles/world/1/1/0.png'), OF_A_TILE), { [requests]: 1, [hit]: 1 });
});

test('features that a tile leaves out, one that is refused, a session', async () => {
  const dropped = 'plimsoll_tile_features_dropped_total{kind="cell"}';
  assert.ok(((await moved(() => get('/tiles/places/0/0/0.mvt'), [dropped]))[dropped] as number) > 100);
  const large = 'plimsoll_admission_outcomes_total{outcome="too-large"}';
  const huge = () =>
    app.server.inject(
      '/cog/bbox/-180,-90,180,90/8000x8000.png?url=world&strict=1&colormap_name=viridis&bidx=1&expression=b1',
    );
  assert.deepEqual(await moved(huge, [large]), { [large]: 1 });
  const sessions = 'plimsoll_sessions';
  const begin = () => app.server.inject({ method: 'POST', url: '/sessions' });
  assert.deepEqual(await moved(begin, [sessions]), { [sessions]: 1 });
});

test('clients that ask for the same at once share one answer', async () => {
  const joined = 'plimsoll_flights_shared_total{kind="joined"}';
  const same = () => Promise.all(Array.from({ length: 4 }, () => get('/tiles/elevation/1/0/0.png')));
  const hit = 'plimsoll_cache_requests_total{result="hit"}';
  const { [joined]: shared = 0, [hit]: late = 0 } = await moved(same, [joined, hit]);
  assert.ok(shared > 0);
  assert.equal(shared + late, 3, 'who comes after it is made finds it in the cache');
});
