import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { envLeaves, envName, leaves } from '../../src/config/env.ts';
import { type Config, ConfigError, type ConfigInput, loadConfig } from '../../src/config/load.ts';
import { inputSchema } from '../../src/config/schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-config-'));
after(() => rmSync(folder, { recursive: true }));

function load(yaml: string, more: Partial<ConfigInput> = {}): Config {
  writeFileSync(join(folder, 'c.yaml'), yaml);
  return loadConfig({ file: 'c.yaml', env: {}, cwd: folder, ...more });
}

function refusals(yaml: string, more: Partial<ConfigInput> = {}): string[] {
  try {
    load(yaml, more);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split('\n');
  }
  return assert.fail('was accepted');
}

test('no configuration at all is a whole, frozen configuration', () => {
  const config = loadConfig({ env: {} });
  assert.equal(config.server.port, 9000);
  assert.equal(config.memory.limit, null);
  assert.equal(config.server.keepAliveTimeout, 72_000);
  assert.equal(config.vector.maxTileBytes, 500_000);
  assert.throws(() => Object.assign(config.server, { port: 1 }), TypeError);
  assert.throws(() => Object.assign(config.server.cors.origins, { 0: 'x' }), TypeError);
});

test('an empty file, an empty section and comments mean the defaults', () => {
  for (const yaml of ['', '# nothing\n', 'server:\n', '---\nmemory: {}\n', 'memory:\n  queue:\n  # max: 1\n']) {
    assert.deepEqual(load(yaml), loadConfig({ env: {} }), yaml);
  }
});

test('file, then environment, then flags', () => {
  const env = { PLIMSOLL_PORT: '2', PLIMSOLL_LOG_LEVEL: 'warn', PLIMSOLL_CORS: undefined };
  const flags = [{ flag: '--port', key: 'server.port', text: '3' }];
  const config = load('server: {port: 1, host: a}\nlog: {level: error}\n', { env, flags });
  assert.deepEqual([config.server.port, config.server.host, config.log.level], [3, 'a', 'warn']);
});

test('every key has its own environment name, and lists, switches, sizes and null can be given', () => {
  const all = leaves(inputSchema());
  assert.equal(new Set(all.map(({ path }) => envName(path))).size, all.length);
  assert.equal(envLeaves(inputSchema()).get('PLIMSOLL_CACHE_MAX_ENTRY_BYTES')?.path.join('.'), 'cache.maxEntryBytes');
  const env = {
    PLIMSOLL_SERVER_CORS_ORIGINS: 'https://a.example, https://b.example',
    PLIMSOLL_CACHE_ENABLED: 'false',
    PLIMSOLL_MEMORY: '256MiB',
    PLIMSOLL_MEMORY_QUEUE_DEADLINE_MS: '2s',
    PLIMSOLL_SESSIONS_QUOTA_BYTES: 'null',
    PLIMSOLL_MEMORY_LINE_SHARE: '0.5',
    PLIMSOLL_PATHS: 'a,/b',
    PLIMSOLL_ADMIN_TOKEN: '',
  };
  const config = loadConfig({ env, cwd: folder });
  assert.deepEqual(config.server.cors.origins, ['https://a.example', 'https://b.example']);
  assert.equal(config.cache.enabled, false);
  assert.equal(config.memory.limit, 2 ** 28);
  assert.equal(config.memory.queue.deadlineMs, 2000);
  assert.equal(config.memory.lineShare, 0.5);
  assert.deepEqual(config.paths, [join(folder, 'a'), '/b']);
  assert.equal(config.adminToken, null);
});

test('the long environment name wins over the short one; Kubernetes service variables are left alone', () => {
  const env = {
    PLIMSOLL_SERVER_PORT: '8001',
    PLIMSOLL_PORT: '8002',
    PLIMSOLL_SERVICE_HOST: '10.0.0.1',
    PLIMSOLL_SERVICE_PORT_HTTP: '80',
    PLIMSOLL_PORT_80_TCP_ADDR: '10.0.0.1',
  };
  assert.equal(loadConfig({ env }).server.port, 8001);
  assert.equal(loadConfig({ env: { PLIMSOLL_PORT: 'tcp://10.0.0.1:80' } }).server.port, 9000);
});

test('relative paths start from the file that names them, those of flags from the working folder', () => {
  const config = load('paths: [data, /abs, s3://bucket/x]\nlayers: {a: {path: a.fgb}, b: {title: B}}\n', {
    paths: ['more'],
    cwd: folder,
  });
  assert.deepEqual(config.paths, [join(folder, 'data'), '/abs', 's3://bucket/x', join(folder, 'more')]);
  assert.equal(config.layers['a']?.path, join(folder, 'a.fgb'));
  assert.equal(config.layers['b']?.path, undefined);
});

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['unknown key', 'server:\n  prot: 1\n', /^c\.yaml:2:3: server\.prot: unknown key \(did you mean "port"\?\)$/],
  ['unknown section', 'sever: {}\n', /^c\.yaml:1:1: sever: unknown key \(did you mean "server"\?\)$/],
  [
    'unknown layer key',
    'layers:\n  a:\n    colormap: x\n',
    /^c\.yaml:3:5: layers\.a\.colormap: unknown key .*"colormapName"/,
  ],
  ['layer id', 'layers:\n  "a,b": {}\n', /^c\.yaml:2:3: layers\.a,b: is not a layer id/],
  ['wrong type', 'server:\n  port: "80"\n', /^c\.yaml:2:9: server\.port: must be a whole number, not "80"$/],
  ['out of range', 'server: {port: 70000}\n', /^c\.yaml:1:16: server\.port: must be <= 65535, not 70000$/],
  ['choice', 'log: {level: inf}\n', /must be one of trace, .*, not "inf" \(did you mean "info"\?\)$/],
  ['list item', 'paths: [a, 3]\n', /^c\.yaml:1:12: paths\[1\]: must be text, not 3$/],
  ['ambiguous unit', 'memory: {limit: 256m}\n', /memory\.limit: unknown unit in "256m": write 256MiB/],
  ['exponent', 'cache: {maxEntryBytes: 5e+06}\n', /cache\.maxEntryBytes: write 5e\+06 in plain digits/],
  ['hexadecimal', 'cache: {maxEntryBytes: 0x10}\n', /cache\.maxEntryBytes: write 0x10 in plain digits/],
  ['fraction of a byte', 'cache: {maxEntryBytes: 1.5B}\n', /"1\.5B" is not a whole number of bytes/],
  ['negative size', 'cache: {maxEntryBytes: -1}\n', /must be >= 0, not -1/],
  ['duration without unit', 'server: {requestTimeout: 30}\n', /must be a duration such as 1500ms, 30s or 5m, not 30$/],
  ['duration unit', 'server: {requestTimeout: 3 weeks}\n', /"3 weeks" is not a duration/],
  ['section that is a list', 'server: [1]\n', /^c\.yaml:1:9: server: must be a section of keys, not \[1\]$/],
  ['root that is a list', '- 1\n', /^c\.yaml:1:1: must be a section of keys/],
  ['broken YAML', 'a: [1\nb: 2\n', /^c\.yaml:\d+:\d+: /],
  ['key twice', 'log: {}\nlog: {}\n', /^c\.yaml:2:1: Map keys must be unique/],
  [
    'levels crossed',
    'memory:\n  warning: 0.9\n',
    /^c\.yaml:2:12: memory\.warning: must be below memory\.critical \(0\.85\), not 0\.9$/,
  ],
  ['pages crossed', 'features: {limitDefault: 5, limitMax: 4}\n', /features\.limitDefault: must not exceed/],
  [
    'zooms crossed',
    'layers: {a: {minzoom: 3, maxzoom: 2}}\n',
    /layers\.a\.minzoom: must not exceed maxzoom \(2\), not 3$/,
  ],
  ['rescale reversed', 'layers: {a: {rescale: [[5, 1]]}}\n', /layers\.a\.rescale\[0\]: must be \[min, max\]/],
  ['rescale of three', 'layers: {a: {rescale: [[5, 1, 2]]}}\n', /layers\.a\.rescale\[0\]: /],
  ['rescale of nothing', 'layers: {a: {rescale: [[.nan, 1]]}}\n', /layers\.a\.rescale\[0\]\[0\]: must be a number/],
  ['nodata', 'layers: {a: {nodata: none}}\n', /layers\.a\.nodata: must be a number or nan, not "none"/],
  ['not a number', 'memory: {lineShare: .nan}\n', /memory\.lineShare: /],
  ['infinite', 'features: {limitMax: .inf}\n', /features\.limitMax: /],
  ['public address', 'server: {publicUrl: "maps?x=1"}\n', /server\.publicUrl: must be an http\(s\) address/],
  ['origin', 'server: {cors: {origins: ["https://a/b"]}}\n', /origins\[0\]: must be "\*" or an origin/],
  ['tiny limit', 'memory: {limit: 1MiB}\n', /memory\.limit: 1048576 bytes is less/],
];

for (const [what, yaml, message] of refused) {
  test(`refused: ${what}`, () => {
    const messages = refusals(yaml);
    assert.equal(messages.length, 1, messages.join('\n'));
    assert.match(messages[0] as string, message);
  });
}

test('all faults of file, environment and flags come at once, those of the file in its order', () => {
  const messages = refusals('log: {levle: x}\nserver:\n  port: no\n  hots: x\n', {
    env: { PLIMSOLL_PORTT: '1', PLIMSOLL_CACHE_MAX_ENTRY_BYTES: '1e6' },
    flags: [
      { flag: '--port', key: 'server.port', text: 'x' },
      { flag: '--set cache.maxage', key: 'cache.maxage', text: '1' },
    ],
  });
  assert.deepEqual(
    messages.map(message => message.split(': ').slice(0, 2).join(' ')),
    [
      'c.yaml:1:7 log.levle',
      'c.yaml:3:9 server.port',
      'c.yaml:4:3 server.hots',
      'environment PLIMSOLL_PORTT',
      'command line --set cache.maxage',
      'environment PLIMSOLL_CACHE_MAX_ENTRY_BYTES',
      'command line --port',
    ],
  );
});

test('nodata may be not a number', () => {
  assert.ok(Number.isNaN(load('layers: {a: {nodata: nan}}\n').layers['a']?.nodata));
});

test('a rule between keys names the place that set the value', () => {
  const [message] = refusals('memory: {critical: 0.6}\n', { env: { PLIMSOLL_MEMORY_WARNING: '0.65' } });
  assert.match(message as string, /^environment: PLIMSOLL_MEMORY_WARNING: must be below/);
});

test('a file that is not there is refused by name', () => {
  assert.throws(() => loadConfig({ file: join(folder, 'none.yaml'), env: {} }), /none\.yaml: cannot be read: ENOENT/);
});
