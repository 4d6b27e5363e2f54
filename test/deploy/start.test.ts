/** How a start that cannot be ends: in words, with the exit code of sysexits, without a stack. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, startCommand } from './process.ts';

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const all = [join(ROOT, 'src/main.ts'), 'serve', '--port', '0', ...args];
  return spawnSync(process.execPath, all, { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 20_000 });
}

const REFUSED: readonly (readonly [
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  code: number,
  why: RegExp,
])[] = [
  [['--memory', '64MiB'], {}, 78, /a limit of 64\.0 MiB leaves .* raise the limit[\s\S]*baseline/],
  [['--memory', '256m'], {}, 78, /256MiB/],
  [['/no/such/folder'], {}, 64, /\/no\/such\/folder does not exist/],
  [['--prot', '9000'], {}, 64, /--prot.*--port/],
  [[], { PLIMSOLL_CACHE_MAXAGE: '60' }, 78, /PLIMSOLL_CACHE_MAXAGE.*PLIMSOLL_CACHE_MAX_AGE/],
  [['--config', '/no/such.yaml'], {}, 78, /\/no\/such\.yaml/],
];

for (const [args, env, code, why] of REFUSED) {
  test(`serve ${args.join(' ')} ${Object.keys(env).join(' ')} ends with ${code}`, () => {
    const { status, stderr } = start(args, env);
    assert.match(stderr, why);
    assert.doesNotMatch(stderr, /^ {4}at /m, 'no stack');
    assert.equal(status, code);
  });
}

test('SIGTERM to npm reaches the server, which drains', async () => {
  const { base, output, stop } = await startCommand('npm', ['start', '--', 'serve']);
  assert.equal((await fetch(`${base}/livez`)).status, 200);
  await stop();
  assert.match(output(), /"drained"/);
  await assert.rejects(fetch(`${base}/livez`), 'nothing is left behind');
});
