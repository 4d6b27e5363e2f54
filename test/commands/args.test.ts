import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS, parseArgs, UsageError } from '../../src/args.ts';
import { helpText } from '../../src/commands/help.ts';
import { loadConfig } from '../../src/config/load.ts';

test('serve is the command where none is named', () => {
  const serve = { name: 'serve', paths: [], config: null, flags: [] };
  assert.deepEqual(parseArgs([]), serve);
  assert.deepEqual(parseArgs(['serve']), serve);
  assert.deepEqual(parseArgs(['./data', 'a.fgb']), { ...serve, paths: ['./data', 'a.fgb'] });
  assert.deepEqual(parseArgs(['serve', '--', '--odd-name.fgb']), { ...serve, paths: ['--odd-name.fgb'] });
});

test('flags set configuration keys, with blank or equals sign, between paths', () => {
  const command = parseArgs([
    'serve',
    'a',
    '--port',
    '1',
    'b',
    '--memory=256MiB',
    '--set',
    'cache.maxAge=60',
    '--config',
    'c.yaml',
  ]);
  assert.deepEqual(command, {
    name: 'serve',
    paths: ['a', 'b'],
    config: 'c.yaml',
    flags: [
      { flag: '--port', key: 'server.port', text: '1' },
      { flag: '--memory', key: 'memory.limit', text: '256MiB' },
      { flag: '--set cache.maxAge', key: 'cache.maxAge', text: '60' },
    ],
  });
});

test('the other commands', () => {
  assert.deepEqual(parseArgs(['inspect', 'a', '--json', 'b']), {
    name: 'inspect',
    files: ['a', 'b'],
    json: true,
    crs: null,
  });
  assert.deepEqual(parseArgs(['check-config', 'f']), { name: 'check-config', file: 'f' });
  assert.deepEqual(parseArgs(['memory', '--limit', '1GiB']), {
    name: 'memory',
    config: null,
    json: false,
    flags: [{ flag: '--limit', key: 'memory.limit', text: '1GiB' }],
  });
  assert.deepEqual(parseArgs(['--version']), { name: 'version' });
  assert.deepEqual(parseArgs(['inspect', '-h']), { name: 'help', topic: 'inspect' });
  assert.deepEqual(parseArgs(['help', 'serve']), { name: 'help', topic: 'serve' });
});

const refused: readonly (readonly [string[], RegExp])[] = [
  [['serve', '--prot', '1'], /plimsoll serve has no flag --prot \(did you mean "--port"\?\)/],
  [['-p', '1'], /has no flag -p/],
  [['serve', '--port'], /--port needs a value/],
  [['inspect', '--json=1', 'f'], /--json takes no value/],
  [['inspekt', 'f'], /unknown command "inspekt" \(did you mean "inspect"\?\)/],
  [['inspect'], /needs at least one FILE/],
  [['check-config', 'a', 'b'], /takes one FILE/],
  [['memory', '256MiB'], /write --limit SIZE/],
  [['--set', 'x'], /--set needs KEY=VALUE, not "x"/],
  [['serve', '--constructor', '1'], /has no flag --constructor/],
];

for (const [argv, message] of refused) {
  test(`refused: plimsoll ${argv.join(' ')}`, () => {
    assert.throws(
      () => parseArgs(argv),
      (error: Error) => error instanceof UsageError && message.test(error.message),
    );
  });
}

test('every flag that sets a key sets one that exists, and is in the help of its command', () => {
  const values: Readonly<Record<string, string>> = {
    N: '2',
    ADDR: '::1',
    SIZE: '256MiB',
    URL: 'https://a.example/',
    LEVEL: 'warn',
  };
  for (const [name, { flags }] of Object.entries(COMMANDS)) {
    const help = helpText(name);
    for (const [flag, options] of Object.entries(flags)) {
      assert.ok(help.includes(`--${flag}`), `${name} --${flag}`);
      const { key, value } = options as { key?: string; value?: string };
      if (key !== undefined) loadConfig({ env: {}, flags: [{ flag, key, text: values[value ?? ''] as string }] });
    }
    assert.ok(helpText(null).includes(`plimsoll ${name}`));
  }
});
