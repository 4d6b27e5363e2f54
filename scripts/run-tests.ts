/**
 * `npm test`: every test/**\/*.test.ts under node's own runner, two files at a time. What was skipped is listed with its
 * reason, because a test that did not run is not a test that passed. `npm test -- config tidy` runs the files whose path
 * holds one of the words. `--no-skips` (CI, where everything is installed) makes a skip a failure.
 */
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const root = join(import.meta.dirname, '..');
/** The long forms (PLIMSOLL_TEST_FULL) of some tests take the better part of an hour. */
const FILE_TIMEOUT_MS = process.env['PLIMSOLL_TEST_FULL'] ? 3_600_000 : 240_000;
const NO_REASON = 'NO REASON GIVEN';

interface Skipped {
  readonly file: string;
  readonly name: string;
  readonly reason: string;
}

function pick(words: readonly string[]): string[] {
  const all = globSync('test/**/*.test.ts', { cwd: root }).sort();
  return all
    .filter(file => words.length === 0 || words.some(word => file.includes(word)))
    .map(file => join(root, file));
}

const args = process.argv.slice(2);
const noSkips = args.includes('--no-skips');
const files = pick(args.filter(arg => !arg.startsWith('--')));
if (files.length === 0) {
  process.stderr.write(`no test file matches ${args.join(' ')}\n`);
  process.exit(1);
}

const skipped: Skipped[] = [];
const seconds = new Map<string, number>();
const SLOWEST_SHOWN = 5;
let failed = 0;

type TestEvent = { readonly type: string; readonly data: unknown };

/** Counts what passes by, and puts the skipped ones before the summary, so that the summary is what output ends with. */
async function* account(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  let told = false;
  for await (const event of events) {
    const data = event.data as {
      name: string;
      file?: string;
      skip?: string | boolean;
      todo?: string | boolean;
      message?: string;
      duration_ms?: number;
    };
    if (event.type === 'test:summary' && data.file)
      seconds.set(relative(root, data.file), (data.duration_ms ?? 0) / 1000);
    if (event.type === 'test:fail' && !data.todo) failed++;
    if (event.type === 'test:pass' && data.skip) {
      const reason = typeof data.skip === 'string' ? data.skip : NO_REASON;
      skipped.push({ file: data.file ? relative(root, data.file) : '?', name: data.name, reason });
    }
    if (
      !told &&
      event.type === 'test:diagnostic' &&
      data.file === undefined &&
      /^tests \d+$/.test(data.message ?? '')
    ) {
      told = true;
      yield { type: 'test:stdout', data: { message: closing() } };
    }
    yield event;
  }
}

function closing(): string {
  const lines = skipped.map(({ file, name, reason }) => `skipped: ${file}: ${name}: ${reason}\n`);
  const slowest = [...seconds].sort(([, a], [, b]) => b - a).slice(0, SLOWEST_SHOWN);
  lines.push(`slowest: ${slowest.map(([file, s]) => `${file} ${s.toFixed(1)} s`).join(', ')}\n`);
  return `${lines.join('')}${files.length} test files, ${skipped.length} tests skipped${noSkips ? ' (none may be)' : ''}\n`;
}

const stream = run({ files, concurrency: 2, timeout: FILE_TIMEOUT_MS, cwd: root });
const output = stream.compose(account as never).compose(new spec() as never);
output.pipe(process.stdout);
output.on('end', () => {
  const unreasoned = skipped.some(({ reason }) => reason === NO_REASON);
  if (failed > 0 || unreasoned || (noSkips && skipped.length > 0)) process.exitCode = 1;
});
