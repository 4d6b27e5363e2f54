import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';

let app: App;
before(async () => {
  app = await testApp({ set: { adminToken: 'secret-token', 'server.publicUrl': 'https://maps.example/base/' } });
});
after(() => app.close());

const get = (url: string, headers: Record<string, string> = {}) => app.server.inject({ method: 'GET', url, headers });

describe('operations', () => {
  test('liveness and readiness', async () => {
    assert.equal((await get('/livez')).json().status, 'live');
    assert.equal((await get('/readyz')).json().status, 'ready');
  });

  test('/memory adds up to what is booked', async () => {
    const { limit, line, used, accounts, booked, level } = (await get('/memory')).json();
    assert.ok(line < limit && used > 0);
    assert.equal(level, 'normal');
    assert.equal(
      Object.values(accounts as Record<string, number>).reduce((a, b) => a + b, 0),
      booked,
    );
  });

  test('/debug/memory is closed without the admin token', async () => {
    assert.equal((await get('/debug/memory')).statusCode, 401);
    assert.equal((await get('/debug/memory', { authorization: 'Bearer wrong' })).statusCode, 403);
    const open = await get('/debug/memory', { authorization: 'Bearer secret-token' });
    assert.equal(open.statusCode, 200);
    assert.ok(open.json().budget.limit > 0);
  });

  test('the leak watch: snapshots, differences, allocations, objects', async () => {
    const headers = { authorization: 'Bearer secret-token' };
    const post = (url: string) => app.server.inject({ method: 'POST', url, headers });
    assert.equal((await app.server.inject({ method: 'POST', url: '/debug/memory/snapshots?label=a' })).statusCode, 401);
    const baseline = await post('/debug/memory/snapshots?label=baseline');
    assert.equal(baseline.statusCode, 201);
    assert.ok(baseline.json().figures['ledger.total'] > 0);
    const booking = app.memory.ledger.book('sessions', 123_456, 'a leak');
    await post('/debug/memory/snapshots?label=later');
    const { changes } = (await get('/debug/memory/difference?from=baseline&to=later', headers)).json();
    const change = changes.find((one: { figure: string }) => one.figure === 'ledger.sessions');
    assert.equal(change.by, 123_456);
    booking.release();
    const { snapshots } = (await get('/debug/memory/snapshots', headers)).json();
    assert.deepEqual(
      snapshots.map((one: { label: string }) => one.label),
      ['baseline', 'later'],
    );
    assert.ok(snapshots[1].owners.some((one: { owner: string }) => one.owner === 'a leak'));
    assert.equal((await get('/debug/memory/difference?from=nothing', headers)).statusCode, 404);
    assert.equal((await post('/debug/memory/snapshots?label=a%20b')).json().code, 'bad-parameter');
    const { objects } = (await get('/debug/memory/objects?class=Map', headers)).json();
    assert.ok(objects[0].constructor === 'Map' && objects[0].objects > 50);
    assert.ok(Array.isArray((await get('/debug/memory/allocations?seconds=1', headers)).json().sites));
    const { trends, memory } = (await get('/debug/memory', headers)).json();
    assert.deepEqual(trends, { unaccounted: null, bytesPerSession: null });
    assert.equal(memory.audits.failures, 0);
  });

  test('at most 16 snapshots are kept', async () => {
    const headers = { authorization: 'Bearer secret-token' };
    for (let i = 0; i < 20; i++) {
      await app.server.inject({ method: 'POST', url: `/debug/memory/snapshots?label=s${i}`, headers });
    }
    const { snapshots } = (await get('/debug/memory/snapshots', headers)).json();
    assert.deepEqual([snapshots.length, snapshots[0].label], [16, 's4']);
  });

  test('/metrics counts requests by route, never by tile', async () => {
    await get('/tiles/countries/2/1/1.mvt');
    await get('/tiles/countries/2/1/1.mvt');
    const { body } = await get('/metrics');
    assert.match(
      body,
      /plimsoll_http_requests_total\{route="\/tiles\/:layers\/:z\/:x\/:y",method="GET",status="200"\} 2/,
    );
    assert.match(body, /plimsoll_cache_requests_total\{result="hit"\} 1/);
    assert.match(body, /plimsoll_ledger_bytes\{account="cache"\} [1-9]/);
    // The tile; the cells of its layer, once more with the price of its longest feature.
    assert.match(body, /plimsoll_admission_outcomes_total\{outcome="admitted"\} 3/);
    assert.match(body, /process_resident_memory_bytes \d/);
    assert.match(body, /nodejs_gc_duration_seconds/);
  });

  /** Dashboards and alerts name these: a family that goes or comes is a change to say aloud. */
  test('the metric families are these', async () => {
    const { body } = await get('/metrics');
    const names = [...body.matchAll(/^# TYPE (plimsoll_\S+) (\S+)$/gm)]
      .map(([, name, type]) => `${name} ${type}`)
      .sort();
    assert.deepEqual(names, [
      'plimsoll_admission_budget_bytes gauge',
      'plimsoll_admission_in_use_bytes gauge',
      'plimsoll_admission_outcomes_total counter',
      'plimsoll_admission_queue_length gauge',
      'plimsoll_admission_wait_seconds histogram',
      'plimsoll_budget_bytes gauge',
      'plimsoll_cache_bytes gauge',
      'plimsoll_cache_entries gauge',
      'plimsoll_cache_evictions_total counter',
      'plimsoll_cache_max_bytes gauge',
      'plimsoll_cache_requests_total counter',
      'plimsoll_flights gauge',
      'plimsoll_flights_shared_total counter',
      'plimsoll_http_request_duration_seconds histogram',
      'plimsoll_http_requests_total counter',
      'plimsoll_jobs_total counter',
      'plimsoll_layers gauge',
      'plimsoll_layers_without_overviews gauge',
      'plimsoll_ledger_bytes gauge',
      'plimsoll_memory_audits_total counter',
      'plimsoll_memory_external_bytes gauge',
      'plimsoll_memory_level gauge',
      'plimsoll_memory_limit_bytes gauge',
      'plimsoll_memory_line_bytes gauge',
      'plimsoll_memory_rss_bytes gauge',
      'plimsoll_memory_swap_bytes gauge',
      'plimsoll_memory_unaccounted_bytes gauge',
      'plimsoll_memory_unaccounted_trend_bytes_per_hour gauge',
      'plimsoll_memory_unaccounted_trend_low_bytes_per_hour gauge',
      'plimsoll_memory_used_bytes gauge',
      'plimsoll_memory_working_set_bytes gauge',
      'plimsoll_plans_total counter',
      'plimsoll_remote_bytes_total counter',
      'plimsoll_remote_files gauge',
      'plimsoll_remote_request_duration_seconds histogram',
      'plimsoll_remote_requests_running gauge',
      'plimsoll_remote_requests_total counter',
      'plimsoll_remote_retries_total counter',
      'plimsoll_render_seconds histogram',
      'plimsoll_replies_cut_total counter',
      'plimsoll_rung_total counter',
      'plimsoll_session_bytes gauge',
      'plimsoll_session_layers gauge',
      'plimsoll_session_trend_bytes_per_hour gauge',
      'plimsoll_sessions gauge',
      'plimsoll_sessions_evicted_total counter',
      'plimsoll_shadow_builds_total counter',
      'plimsoll_shadow_bytes gauge',
      'plimsoll_shadows gauge',
      'plimsoll_strained gauge',
      'plimsoll_tile_features_dropped_total counter',
      'plimsoll_workers gauge',
      'plimsoll_workers_queue_length gauge',
      'plimsoll_workers_running gauge',
    ]);
  });

  test('a base path is stripped and is in every link', async () => {
    const json = (await get('/base/tiles/countries')).json();
    assert.ok(json.tiles[0].startsWith('https://maps.example/base/tiles/countries/'), json.tiles[0]);
    assert.equal((await get('/base/livez')).statusCode, 200);
    assert.equal((await get('/basement')).statusCode, 404);
  });

  test('TileJSON has what the 3.0.0 schema requires, in range', async () => {
    const json = (await get('/tiles/countries,places')).json();
    assert.equal(json.tilejson, '3.0.0');
    assert.deepEqual(
      json.vector_layers.map((l: { id: string }) => l.id),
      ['countries', 'places'],
    );
    assert.ok(Object.keys(json.vector_layers[0].fields).length > 0);
    const [w, s, e, n] = json.bounds;
    assert.ok(w < e && s < n && w >= -180 && e <= 180 && s >= -90 && n <= 90);
    const [lon, lat, zoom] = json.center;
    assert.ok(lon >= w && lon <= e && lat >= s && lat <= n && zoom >= json.minzoom && zoom <= json.maxzoom);
  });

  test('a wrong method is 405 and preflight is answered', async () => {
    const posted = await app.server.inject({
      method: 'POST',
      url: '/layers',
      headers: { 'content-type': 'application/json' },
      payload: '{}',
    });
    assert.equal(posted.statusCode, 405);
    const preflight = await app.server.inject({
      method: 'OPTIONS',
      url: '/sessions',
      headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
    });
    assert.equal(preflight.statusCode, 204);
    assert.match(preflight.headers['access-control-allow-methods'] as string, /PUT/);
  });
});
