/** The Helm chart: lints, renders what Kubernetes takes, agrees with the server, and refuses what cannot work. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { parseArgs } from '../../src/args.ts';
import { loadConfig } from '../../src/config/load.ts';
import { testApp } from '../lib/app.ts';
import { ROOT } from './process.ts';

const CHART = join(ROOT, 'k8s/plimsoll');
const VALUES = join(import.meta.dirname, 'values');
const helm = [join(ROOT, '.cache/bin/helm'), 'helm'].find(path => spawnSync(path, ['version']).status === 0);
const skip = helm === undefined ? 'helm is not installed' : false;
const CASES: readonly (readonly [name: string, values: string | null])[] = [
  ['defaults', null],
  ['full', join(VALUES, 'full.yaml')],
  ['nfs', join(VALUES, 'nfs.yaml')],
  ['sessions', join(VALUES, 'sessions.yaml')],
];
const OLDEST = '1.25.0';
const NEWEST = '1.35.0';

const work = mkdtempSync(join(tmpdir(), 'plimsoll-chart-'));
after(() => rmSync(work, { recursive: true }));

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: manifests of many kinds, read by path
  readonly [key: string]: any;
}

function render(args: readonly string[], kube = NEWEST): { status: number | null; stdout: string; stderr: string } {
  const all = ['template', 'release', CHART, '--kube-version', kube, ...args];
  return spawnSync(helm as string, all, { encoding: 'utf8' });
}

function resources(values: string | null, kube = NEWEST): Resource[] {
  const { status, stdout, stderr } = render(values === null ? [] : ['--values', values], kube);
  assert.equal(status, 0, stderr);
  return parseAllDocuments(stdout)
    .map(document => document.toJS())
    .filter(resource => resource !== null);
}

function only(all: readonly Resource[], kind: string): Resource {
  const found = all.filter(resource => resource.kind === kind);
  assert.equal(found.length, 1, `${kind}: ${found.length}`);
  return found[0] as Resource;
}

for (const [name, values] of CASES) {
  test(`${name}: lints strictly and renders for the oldest and newest Kubernetes`, { skip }, () => {
    const lint = ['lint', '--strict', CHART, ...(values === null ? [] : ['--values', values])];
    const { status, stdout, stderr } = spawnSync(helm as string, lint, { encoding: 'utf8' });
    assert.equal(status, 0, `${stdout}${stderr}`);
    for (const kube of [OLDEST, NEWEST]) {
      const all = resources(values, kube);
      const deployment = only(all, 'Deployment');
      const labels = deployment['spec'].template.metadata.labels;
      for (const selector of [deployment['spec'].selector.matchLabels, only(all, 'Service')['spec'].selector]) {
        for (const [key, value] of Object.entries(selector)) assert.equal(labels[key], value, key);
      }
      const [container] = deployment['spec'].template.spec.containers;
      assert.deepEqual(container.lifecycle !== undefined, kube === NEWEST && name !== 'nfs', 'the pause needs 1.30');
      assert.equal(container.resources.requests.memory, container.resources.limits.memory);
      assert.equal(container.securityContext.readOnlyRootFilesystem, true);
      const mounts = container.volumeMounts.map((mount: { name: string }) => mount.name).sort();
      const volumes = deployment['spec'].template.spec.volumes.map((volume: { name: string }) => volume.name).sort();
      assert.deepEqual(mounts, volumes);
    }
  });

  test(`${name}: the server takes its arguments and its configuration, and has what the probes ask`, {
    skip,
  }, async () => {
    const all = resources(values);
    const [container] = only(all, 'Deployment')['spec'].template.spec.containers;
    const command = parseArgs(container.args);
    assert.equal(command.name, 'serve');
    if (command.name !== 'serve') return;
    const map = all.find(resource => resource['data']?.['plimsoll.yaml'] !== undefined);
    assert.equal(command.config, map === undefined ? null : '/etc/plimsoll/plimsoll.yaml');
    let file: string | null = null;
    if (map !== undefined) {
      file = join(work, `${name}.yaml`);
      writeFileSync(file, map['data']['plimsoll.yaml']);
    }
    const config = loadConfig({ file, env: {}, flags: command.flags, paths: command.paths });
    assert.equal(config.server.port, container.ports[0].containerPort);
    assert.equal(config.sessions.enabled, name === 'sessions');
    const app = await testApp();
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      const { path, port } = container[probe].httpGet;
      assert.equal(port, container.ports[0].name);
      assert.equal((await app.server.inject({ url: path })).statusCode, 200, path);
    }
    await app.close();
  });
}

test('full: the optional parts are there and know each other', { skip }, () => {
  const all = resources(join(VALUES, 'full.yaml'));
  const service = only(all, 'Service');
  const monitor = only(all, 'ServiceMonitor');
  for (const [key, value] of Object.entries(monitor['spec'].selector.matchLabels)) {
    assert.equal(service.metadata.labels[key], value);
  }
  assert.equal(monitor['spec'].endpoints[0].port, service['spec'].ports[0].name);
  const deployment = only(all, 'Deployment');
  assert.equal(deployment['spec'].replicas, undefined, 'the autoscaler has the number');
  assert.equal(
    deployment['spec'].template.metadata.annotations['prometheus.io/scrape'],
    undefined,
    'not scraped twice',
  );
  const scaler = only(all, 'HorizontalPodAutoscaler');
  assert.equal(scaler['spec'].scaleTargetRef.name, deployment.metadata.name);
  const targets = scaler['spec'].metrics.map((metric: Resource) => metric['resource'].name);
  assert.deepEqual(targets, ['cpu', 'memory']);
  assert.equal(only(all, 'Ingress')['spec'].rules[0].http.paths[0].backend.service.name, service.metadata.name);
  assert.equal(only(all, 'PodDisruptionBudget')['spec'].maxUnavailable, '34%');
  // With the operator the job is named after the service.
  const rules = only(all, 'PrometheusRule')['spec'].groups[0].rules;
  const own = parse(readFileSync(join(ROOT, 'deploy/prometheus/alerts.yml'), 'utf8')).groups[0].rules;
  assert.equal(rules.length, own.length);
  assert.equal(rules[0].expr, own[0].expr.replace('job="plimsoll"', `job="${service.metadata.name}"`));
  const board = all.find(resource => resource.metadata.labels['grafana_dashboard'] === '1');
  assert.equal(JSON.parse(board?.['data']['plimsoll.json']).uid, 'plimsoll');
});

test('what cannot work is refused, with the reason', { skip }, () => {
  const refused: readonly (readonly [set: string, why: RegExp])[] = [
    ['resources.limits.memory=512Mi', /must be equal/],
    ['replicas=3', /replicas/],
    ['resources.limits.memory=256m,resources.requests.memory=256m', /pattern/],
    ['data.existingClaim=a,data.volume.emptyDir.medium=Memory', /exclude each other/],
    ['sessions.enabled=true', /memory of one pod/],
    ['config.sessions.enabled=true', /sessions/],
    ['autoscaling.enabled=true,autoscaling.targetCPUUtilization=null', /needs a target/],
    ['preStopSleepSeconds=30', /leaves nothing/],
  ];
  for (const [set, why] of refused) {
    const { status, stderr } = render(['--set', set]);
    assert.notEqual(status, 0, set);
    assert.match(stderr, why, set);
  }
  assert.notEqual(render([], '1.24.0').status, 0);
});

const python = [process.env['PLIMSOLL_PYTHON'], join(ROOT, '.venv/bin/python'), '/opt/venv/bin/python'].find(
  path => path !== undefined && existsSync(path),
);
const validator =
  python !== undefined && spawnSync(python, ['-c', 'import kubernetes_validate']).status === 0
    ? false
    : 'python lacks kubernetes-validate';

test('the schemas of Kubernetes take every resource that is rendered', { skip: skip || validator }, () => {
  for (const [name, values] of CASES) {
    // Kinds of the Prometheus operator are not among the schemas.
    const known = resources(values).filter(({ kind }) => !['ServiceMonitor', 'PrometheusRule'].includes(kind));
    const file = join(work, `${name}.json`);
    writeFileSync(file, JSON.stringify(known));
    const code =
      'import json, sys, kubernetes_validate as k\nfor r in json.load(open(sys.argv[1])): k.validate(r, "1.35", strict=True)';
    const { status, stderr } = spawnSync(python as string, ['-c', code, file], { encoding: 'utf8' });
    assert.equal(status, 0, `${name}: ${stderr}`);
  }
});
