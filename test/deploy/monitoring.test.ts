/** Dashboard and alerts ask only for metrics, and labels of them, that the server exports after some real traffic. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse } from 'yaml';
import { testApp } from '../lib/app.ts';
import { ROOT } from './process.ts';

/** Labels that Prometheus itself adds, and `up`, which it makes. */
const OF_PROMETHEUS = ['instance', 'job', 'le', 'pod', 'namespace'];
const WORDS = new Set(
  'sum avg min max count rate irate increase delta histogram_quantile clamp_max clamp_min by without and or unless ignoring on group_left group_right bool time vector scalar topk bottomk max_over_time label_values inf'.split(
    ' ',
  ),
);

interface Expression {
  readonly where: string;
  readonly text: string;
}

/** Metric → its labels. */
let exported = new Map<string, Set<string>>();
/** `metric label value`, as many as there are. */
let values = new Set<string>();

before(async () => {
  const app = await testApp();
  const get = (url: string) => app.server.inject({ url });
  for (const url of ['/tiles/countries/0/0/0.mvt', '/tiles/world/0/0/0.png', '/collections/places/items', '/none']) {
    await get(url);
  }
  await get('/tiles/countries/0/0/0.mvt');
  await app.server.inject({ method: 'POST', url: '/sessions' });
  // What collections took is only exported once there has been one.
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  for (let turn = 0; turn < 100 && !exported.has('nodejs_gc_duration_seconds_sum'); turn++) {
    await new Promise(resolve => setTimeout(resolve, 10));
    const { body } = await get('/metrics');
    exported = labelsOf(body);
    values = valuesOf(body);
  }
  await app.close();
});

function labelsOf(exposition: string): Map<string, Set<string>> {
  const metrics = new Map<string, Set<string>>();
  for (const line of exposition.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line);
    if (!match) continue;
    const labels = metrics.get(match[1] as string) ?? new Set();
    for (const [, label] of (match[2] ?? '').matchAll(/(\w+)="/g)) labels.add(label as string);
    metrics.set(match[1] as string, labels);
  }
  return metrics;
}

function valuesOf(exposition: string): Set<string> {
  const found = new Set<string>();
  for (const [, name, labels] of exposition.matchAll(/^([a-zA-Z_:][\w:]*)\{(.*)\} \S+$/gm))
    for (const [, label, value] of (labels as string).matchAll(/(\w+)="([^"]*)"/g))
      found.add(`${name} ${label} ${value}`);
  return found;
}

/** Statuses are there once they were given. */
const OPEN_LABELS = new Set(['status', 'instance', 'job']);

/** Values of labels that nothing is ever exported with: such an alert would be silent, such a line of the docs wrong. */
function silentValues(text: string): string[] {
  const silent: string[] = [];
  for (const [, name, matchers] of text.matchAll(/(plimsoll_\w+)\{((?:[^}"]|"[^"]*")*)\}/g))
    for (const [, label, , asked] of (matchers as string).matchAll(/(\w+)\s*(=~|=)\s*"([^"]*)"/g))
      for (const value of (asked as string).split('|'))
        if (!OPEN_LABELS.has(label as string) && !values.has(`${name} ${label} ${value}`))
          silent.push(`${name} ${label} ${value}`);
  return silent;
}

/** What a PromQL expression names: metrics with the labels matched on them, and the labels grouped by. */
function namesOf(text: string): { metrics: Map<string, string[]>; grouped: string[]; unknown: string[] } {
  const grouped: string[] = [];
  const plain = text
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_, list: string) => {
      grouped.push(...list.split(',').map(name => name.trim()));
      return ' ';
    })
    .replace(/\[[^\]]*\]/g, ' ');
  const metrics = new Map<string, string[]>();
  const unknown: string[] = [];
  for (const [, name, , matchers] of plain.matchAll(/([a-zA-Z_:][\w:]*)(\{((?:[^}"]|"(?:\\.|[^"])*")*)\})?/g)) {
    if (WORDS.has(name as string) || /^[\d.e]+$/.test(name as string)) continue;
    if (!/^(plimsoll|process|nodejs)_|^up$/.test(name as string)) unknown.push(name as string);
    const labels = [...(matchers ?? '').matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(match => match[1] as string);
    metrics.set(name as string, [...(metrics.get(name as string) ?? []), ...labels]);
  }
  return { metrics, grouped, unknown };
}

function faultsOf({ where, text }: Expression): string[] {
  const { metrics, grouped, unknown } = namesOf(text);
  const faults = unknown.map(name => `${where}: ${name} is neither a metric of ours nor a known function`);
  const known = new Set(OF_PROMETHEUS);
  for (const [name, labels] of metrics) {
    const has = name === 'up' ? new Set<string>() : exported.get(name);
    if (has === undefined) faults.push(`${where}: ${name} is not exported`);
    for (const label of has ?? []) known.add(label);
    for (const label of labels) {
      if (!has?.has(label) && !OF_PROMETHEUS.includes(label)) faults.push(`${where}: ${name} has no label ${label}`);
    }
  }
  return [...faults, ...grouped.filter(label => !known.has(label)).map(label => `${where}: no label ${label}`)];
}

interface Panel {
  readonly title?: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
  readonly panels?: readonly Panel[];
}

function expressionsOf(panels: readonly Panel[]): Expression[] {
  return panels.flatMap(panel => [
    ...(panel.targets ?? []).map(({ expr }) => ({ where: panel.title ?? '?', text: expr })),
    ...expressionsOf(panel.panels ?? []),
  ]);
}

test('the check itself finds what is wrong', () => {
  const faults = (text: string) => faultsOf({ where: 'x', text });
  assert.deepEqual(faults('sum by (route) (rate(plimsoll_http_requests_total{status=~"5.."}[5m])) > 1e-3'), []);
  assert.deepEqual(faults('plimsoll_no_such_thing'), ['x: plimsoll_no_such_thing is not exported']);
  assert.deepEqual(faults('rate(plimsoll_http_requests_total{code="503"}[5m])'), [
    'x: plimsoll_http_requests_total has no label code',
  ]);
  assert.deepEqual(faults('sum by (colour) (plimsoll_memory_rss_bytes)'), ['x: no label colour']);
});

for (const file of globSync('deploy/grafana/dashboards/*.json', { cwd: ROOT })) {
  test(`${file} asks only for what is exported`, () => {
    const dashboard = JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
    const expressions = expressionsOf(dashboard.panels);
    assert.ok(expressions.length > 20, `${expressions.length} expressions`);
    assert.deepEqual(expressions.flatMap(faultsOf), []);
    for (const { definition, query } of dashboard.templating.list) {
      const asked = definition ?? query?.query ?? '';
      for (const [name] of String(asked).matchAll(/plimsoll_\w+/g)) assert.ok(exported.has(name), name);
    }
  });
}

const alerts = join(ROOT, 'deploy/prometheus/alerts.yml');

test('the alerts ask only for what is exported', () => {
  const { groups } = parse(readFileSync(alerts, 'utf8')) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  };
  const rules = groups.flatMap(group => group.rules);
  assert.ok(rules.length > 5);
  assert.deepEqual(
    rules.flatMap(({ alert, expr }) => faultsOf({ where: alert, text: expr })),
    [],
  );
});

test('alerts and docs name values of labels that there are', () => {
  const texts = [...globSync('docs/*.md', { cwd: ROOT }), 'README.md', 'deploy/prometheus/alerts.yml'];
  for (const file of texts) assert.deepEqual(silentValues(readFileSync(join(ROOT, file), 'utf8')), [], file);
  assert.deepEqual(silentValues('plimsoll_rung_total{rung="best"}'), ['plimsoll_rung_total rung best']);
});

/** Names of the Python client in docs/dashboards.md. */
const OF_PYTHON = /^plimsoll_(client|map)$/;

test('every metric that the docs name is exported, with the labels that they name', () => {
  let named = 0;
  for (const file of [...globSync('docs/*.md', { cwd: ROOT }), 'README.md']) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const [, name = '', labels = ''] of text.matchAll(/\b(?<!st_)(plimsoll_[a-z_]+)(?:\{([^}]*)\})?/g)) {
      if (OF_PYTHON.test(name)) continue;
      const known = exported.get(name) ?? exported.get(`${name}_bucket`);
      assert.ok(known, `${file}: ${name} is not exported`);
      named++;
      for (const label of labels === '' ? [] : labels.split(',').map(part => part.split('=')[0] as string))
        assert.ok(known.has(label), `${file}: ${name} has no label ${label}`);
    }
  }
  assert.ok(named > 20, `${named} are named`);
});

const promtool = spawnSync('promtool', ['--version']).status === 0;

test('promtool accepts configuration and rules', { skip: promtool ? false : 'promtool is not installed' }, () => {
  for (const args of [
    ['check', 'config', 'deploy/prometheus/prometheus.yml'],
    ['check', 'rules', 'deploy/prometheus/alerts.yml'],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: ROOT, encoding: 'utf8' });
    assert.equal(status, 0, `${stdout}${stderr}`);
  }
});

test('compose mounts and builds what is there', () => {
  const { services } = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')) as {
    services: Record<string, { volumes?: string[]; build?: string }>;
  };
  const mounts = Object.values(services).flatMap(({ volumes = [] }) => volumes);
  const folders = mounts.map(mount => mount.replace(/^\$\{\w+:-([^}]*)\}/, '$1').split(':')[0] as string);
  const missing = folders.filter(folder => folder.startsWith('./') && !existsSync(join(ROOT, folder)));
  assert.deepEqual(missing, []);
  const copied = [...readFileSync(join(ROOT, 'Dockerfile'), 'utf8').matchAll(/^COPY (?!--from)(.+) \S+$/gm)];
  const sources = copied.flatMap(match => (match[1] as string).split(' ')).filter(name => !name.includes('*'));
  assert.ok(sources.length > 5);
  assert.deepEqual(
    sources.filter(name => !existsSync(join(ROOT, name))),
    [],
  );
});
