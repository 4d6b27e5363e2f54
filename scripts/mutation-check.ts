/**
 * Whether the property tests of memory find what they are for: each fault below is put into a copy of the sources, the test
 * that should find it is run, and the smallest sequence that shows it is printed. A fault that no test finds fails the run.
 *
 *   node scripts/mutation-check.ts [words of the name]
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const EXAMPLE_CHARS = 150;

interface Mutation {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly test: string;
}

const PERMITS = 'test/admission/property.test.ts';
const SEGMENTS = 'test/cache/byte-cache.test.ts';

const MUTATIONS: readonly Mutation[] = [
  {
    name: 'ledger: a booking that shrinks is added to the total',
    file: 'src/memory/ledger.ts',
    from: 'this.total += delta;',
    to: 'this.total += Math.abs(delta);',
    test: 'test/memory/ledger.test.ts',
  },
  {
    name: 'ledger: a release forgets the sum of its account',
    file: 'src/memory/ledger.ts',
    from: '    this.move(entry, 0);\n',
    to: '',
    test: 'test/memory/ledger.test.ts',
  },
  {
    name: 'permits: closed with the bytes it began with',
    file: 'src/admission/controller.ts',
    from: 'this.#shares.close(kind, client, held);',
    to: 'this.#shares.close(kind, client, bytes);',
    test: PERMITS,
  },
  {
    name: 'permits: replies on the wire do not count',
    file: 'src/admission/shares.ts',
    from: 'const used = this.held + moment.replies + bytes;',
    to: 'const used = this.held + bytes;',
    test: PERMITS,
  },
  {
    name: 'permits: the floor of a class is taken beyond the budget',
    file: 'src/admission/shares.ts',
    from: 'return this.bytes[kind] + bytes <= floor && this.held + moment.replies + bytes <= moment.budget;',
    to: 'return this.bytes[kind] + bytes <= floor;',
    test: PERMITS,
  },
  {
    name: 'permits: growing stops at no ceiling',
    file: 'src/admission/controller.ts',
    from: 'held + extra <= this.#s.ceilingBytes && this',
    to: 'this',
    test: PERMITS,
  },
  {
    name: 'queue: who leaves keeps its bytes waiting',
    file: 'src/admission/queue.ts',
    from: 'this.bytes -= waiter.request.bytes;',
    to: '',
    test: PERMITS,
  },
  {
    name: 'queue: one who left is answered, and stays',
    file: 'src/admission/controller.ts',
    from: '      this.#room.leave(waiter);\n      this.#counters.abandoned++;',
    to: '      this.#counters.abandoned++;',
    test: PERMITS,
  },
  {
    name: 'queue: deadlines are looked at by nobody',
    file: 'src/admission/controller.ts',
    from: '      this.#expire();\n',
    to: '',
    test: PERMITS,
  },
  {
    name: 'queue: newest first while calm',
    file: 'src/admission/controller.ts',
    from: 'const newestFirst = this.#loaded();',
    to: 'const newestFirst = !this.#loaded();',
    test: PERMITS,
  },
  {
    name: 'queue: full, whoever waits for most stays',
    file: 'src/admission/queue.ts',
    from: 'most.count > 1 && most[by] > equal ? crowder : null',
    to: 'most.count < 0 && most[by] > equal ? crowder : null',
    test: PERMITS,
  },
  {
    name: 'queue: others wait behind one that waits for its own client',
    file: 'src/admission/queue.ts',
    from: '      if (overShare(each)) continue;\n',
    to: '',
    test: PERMITS,
  },
  {
    name: 'turns: a walk that ends calls nobody in',
    file: 'src/admission/turns.ts',
    from: '    else this.#walking.set(layer, left);\n    this.#dispatch();',
    to: '    else this.#walking.set(layer, left);',
    test: 'test/admission/turns.test.ts',
  },
  {
    name: 'turns: one layer may take all',
    file: 'src/admission/turns.ts',
    from: ' && (this.#walking.get(layer) ?? 0) < this.#s.ofOneLayer',
    to: '',
    test: 'test/admission/turns.test.ts',
  },
  {
    name: 'segments: freed while somebody reads them',
    file: 'src/cache/shelf.ts',
    from: 'if (segment.pins > 0) this.lingering.add(segment);\n    else this.#free(segment);',
    to: 'this.#free(segment);',
    test: SEGMENTS,
  },
  {
    name: 'segments: an entry that is deleted keeps its overhead',
    file: 'src/cache/shelf.ts',
    from: '    this.bytes -= entry.overhead;\n    // A full',
    to: '    // A full',
    test: SEGMENTS,
  },
  {
    name: 'segments: a pinned one is filled anew',
    file: 'src/cache/shelf.ts',
    from: 'segment => segment.pins === 0);\n    if (victim',
    to: '() => true);\n    if (victim',
    test: SEGMENTS,
  },
  {
    name: 'segments: opened beyond the cap',
    file: 'src/cache/shelf.ts',
    from: '(opening ? this.#s.segmentBytes : 0)',
    to: '0',
    test: SEGMENTS,
  },
];

interface Found {
  readonly name: string;
  readonly by: string;
  readonly shrunk: number;
  readonly example: string;
}

function tryOne({ name, file, from, to, test }: Mutation, dir: string): Found | string {
  const path = join(dir, file);
  const source = readFileSync(join(ROOT, file), 'utf8');
  if (source.split(from).length !== 2) return `${file} does not hold once: ${from}`;
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', test], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    timeout: 300_000,
  });
  writeFileSync(path, source);
  if (run.status === 0) return 'no test found it';
  const example = /Counterexample: (.*)/.exec(run.stdout)?.[1];
  if (example === undefined) return 'only found by a test of examples';
  const failed = [...run.stdout.matchAll(/^not ok \d+ - (.*)$/gm)].map(match => match[1] as string);
  const shrunk = Number(/Shrunk (\d+) time/.exec(run.stdout)?.[1] ?? 0);
  const property = failed.find(title => /any sequence|in a calm house/.test(title)) ?? (failed[0] as string);
  return { name, by: property, shrunk, example: example.replaceAll('\\"', '"') };
}

function clipped(text: string): string {
  return text.length > EXAMPLE_CHARS ? `${text.slice(0, EXAMPLE_CHARS)}…` : text;
}

function main(): void {
  const words = process.argv.slice(2);
  const wanted = MUTATIONS.filter(({ name }) => words.every(word => name.includes(word)));
  const dir = mkdtempSync(join(tmpdir(), 'plimsoll-mutants-'));
  let missed = 0;
  try {
    for (const name of ['src', 'test', 'package.json']) cpSync(join(ROOT, name), join(dir, name), { recursive: true });
    for (const name of ['node_modules', 'demo', 'viewer']) symlinkSync(join(ROOT, name), join(dir, name));
    console.log('| fault | found by | shrunk | smallest sequence |\n|---|---|---:|---|');
    for (const mutation of wanted) {
      const found = tryOne(mutation, dir);
      if (typeof found === 'string') {
        missed++;
        console.log(`| ${mutation.name} | **${found}** | | |`);
      } else console.log(`| ${found.name} | ${found.by} | ${found.shrunk} | \`${clipped(found.example)}\` |`);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  if (missed > 0) process.exitCode = 1;
}

main();
