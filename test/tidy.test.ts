/** The habits of the house as a test: who may import whom, how long things get, which calls live in which room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factsOf, type SourceFile, sourceFiles } from './tidy-source.ts';

const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 70;

/** Imports go down this list. A room is a folder of src/, or the files there that share a name up to the first `-` or `.`. */
const ROOMS = [
  ['main'],
  ['app'],
  ['rehearsal'],
  ['commands', 'args'],
  ['reports', 'metrics'],
  ['http'],
  ['config'],
  ['operations'],
  ['serve'],
  ['reply', 'ladder', 'past'],
  ['identity'],
  ['sessions'],
  ['layers'],
  ['admission'],
  ['cache'],
  ['workers'],
  ['render'],
  ['kernels'],
  ['source'],
  ['io'],
  ['memory'],
  ['grids'],
  ['crs'],
  ['errors', 'nearest', 'plan', 'tile'],
];

/** Each call or module, and the only places that may use it. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  'process.env': ['main', 'args', 'commands', 'config'],
  'process.exit': ['main'],
  'process.stdout': ['main', 'commands'],
  'process.stderr': ['main', 'commands'],
  'console.log': ['main', 'commands'],
  'console.error': ['main', 'commands'],
  'console.warn': ['main', 'commands'],
  setInterval: ['memory', 'layers', 'sessions'],
};

const MODULES: Readonly<Record<string, readonly string[]>> = {
  'node:fs': ['main', 'config', 'commands', 'http', 'layers', 'io', 'memory', 'source'],
  'node:fs/promises': ['main', 'config', 'commands', 'http', 'layers', 'io'],
  'node:child_process': [],
  'prom-client': ['metrics'],
  fastify: ['http', 'app'],
  piscina: ['workers'],
  undici: ['io'],
  'node:http': ['io'],
  'node:https': ['io'],
  'node:dns': ['io'],
  'node:net': ['io'],
  yaml: ['config'],
  ajv: ['config', 'http'],
  sharp: ['kernels', 'render', 'workers'],
  // Six megabytes of heap in every thread that loads it.
  typebox: ['config'],
  'typebox/value': ['config'],
};

const files = sourceFiles('src/**/*.ts');

function roomOf(path: string): string {
  const name = path.split('/')[1] as string;
  return /\.(ts|json)$/.test(name) ? (name.split(/[-.]/)[0] as string) : name;
}

function rankOf(path: string): number {
  return ROOMS.findIndex(rooms => rooms.includes(roomOf(path)));
}

test('every file belongs to a room', () => {
  assert.deepEqual(
    files.filter(({ path }) => rankOf(path) < 0).map(({ path }) => path),
    [],
  );
});

test('imports go down the list of rooms; only types look up, and only at the types.ts of a room', () => {
  const wrong = files.flatMap(({ path, imports }) =>
    imports
      .filter(
        ({ file, typeOnly }) =>
          file?.startsWith('src/') && rankOf(file) < rankOf(path) && !(typeOnly && file.endsWith('/types.ts')),
      )
      .map(({ file }) => `${path} imports ${file}`),
  );
  assert.deepEqual(wrong, []);
});

test('imports name files that exist, with their ending', () => {
  const known = new Set([...files.map(({ path }) => path), 'src/crs/table.json', 'package.json']);
  const wrong = files.flatMap(({ path, imports }) =>
    imports.filter(({ file }) => file !== null && !known.has(file)).map(({ file }) => `${path} imports ${file}`),
  );
  assert.deepEqual(wrong, []);
});

test('no import cycles', () => {
  const graph = new Map(
    files.map(({ path, imports }) => [path, imports.filter(({ typeOnly }) => !typeOnly).map(({ file }) => file)]),
  );
  assert.deepEqual(cycles(graph), []);
});

test(`no file is longer than ${FILE_LINES_MAX} lines, no function than ${FUNCTION_LINES_MAX}`, () => {
  const wrong: string[] = [];
  for (const file of [...files, ...sourceFiles('{scripts,bench}/**/*.ts')]) {
    if (file.lines > FILE_LINES_MAX && !isTable(file)) wrong.push(`${file.path}: ${file.lines} lines`);
    for (const { name, line, lines } of factsOf(file).functions) {
      if (lines > FUNCTION_LINES_MAX) wrong.push(`${file.path}:${line} ${name}: ${lines} lines`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no module keeps state', () => {
  assert.deepEqual(
    files.flatMap(file => factsOf(file).moduleState.map(what => `${file.path}: ${what}`)),
    [],
  );
});

test('calls and packages stay in their rooms', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const room = roomOf(file.path);
    const { names } = factsOf(file);
    for (const [call, rooms] of Object.entries(CALLS)) {
      if (names.has(call) && !rooms.includes(room)) wrong.push(`${file.path} uses ${call}`);
    }
    for (const { from, typeOnly } of file.imports) {
      const rooms = MODULES[from];
      if (rooms && !typeOnly && !rooms.includes(room)) wrong.push(`${file.path} imports ${from}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no any, no silenced checks, nothing left to do', () => {
  const marks = /\bas any\b|: any\b|<any>|@ts-(ignore|nocheck|expect-error)|\b(TODO|FIXME|XXX|HACK)\b/;
  const wrong = files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => (marks.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  );
  assert.deepEqual(wrong, []);
});

test('every source file is named by what it is for in its first lines', () => {
  const wrong = files.filter(({ text }) => !/^(#!.*\n)?(\/\/ |\/\*\*)/.test(text)).map(({ path }) => path);
  assert.deepEqual(wrong, []);
});

/** A table of data has no logic to be lost in. */
function isTable({ path }: SourceFile): boolean {
  return path.endsWith('-table.ts');
}

/** Depth first, each cycle once, as the files along it. */
function cycles(graph: ReadonlyMap<string, readonly (string | null)[]>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, way: readonly string[]) => {
    const at = way.indexOf(path);
    if (at >= 0) found.push([...way.slice(at), path].join(' → '));
    if (at >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) if (next !== null) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}
