/** The source as tidy.test.ts sees it: files, what they import, how long their functions are, what they call. */
import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, posix } from 'node:path';
import { type Node, parse } from 'acorn';

const root = join(import.meta.dirname, '..');

export interface Import {
  readonly from: string;
  /** Path from the repository root; null for a package or node: module. */
  readonly file: string | null;
  readonly typeOnly: boolean;
}

export interface FunctionSpan {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

export function sourceFiles(pattern: string): SourceFile[] {
  return globSync(pattern, { cwd: root })
    .filter(path => !path.endsWith('.d.ts'))
    .sort()
    .map(path => {
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, lines: text.split('\n').length - 1, imports: importsOf(path, text) };
    });
}

/** Types are gone once stripped, so imports are read from the text; biome's formatting makes that safe. */
function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s)?(?:([^;]*?)\sfrom\s)?'([^']+)'/gm)) {
    const [, type, names = '', from] = match;
    const listed = /^\{([^}]*)\}$/s
      .exec(names.trim())?.[1]
      ?.split(',')
      .map(name => name.trim())
      .filter(name => name !== '');
    const typeOnly =
      type !== undefined ||
      (listed?.length !== undefined && listed.length > 0 && listed.every(name => name.startsWith('type ')));
    found.push({ from, typeOnly, file: fileOf(path, from) });
  }
  for (const [, from] of text.matchAll(/\bimport\('([^']+)'\)/g))
    found.push({ from, typeOnly: false, file: fileOf(path, from) });
  return found;
}

function fileOf(path: string, from: string): string | null {
  return from.startsWith('.') ? posix.join(posix.dirname(path), from) : null;
}

type Tree = Node & { readonly [key: string]: unknown };

/** Positions stay true: the types are replaced by blanks. */
function syntaxOf({ path, text }: SourceFile): Tree {
  try {
    const plain = stripTypeScriptTypes(text, { mode: 'strip' });
    return parse(plain, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      locations: true,
      allowHashBang: true,
    }) as unknown as Tree;
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

export interface Facts {
  readonly functions: readonly FunctionSpan[];
  /** Dotted names that are called or read: `process.env`, `setInterval`. */
  readonly names: ReadonlySet<string>;
  /** Module-level `let`, and module-level collections that start empty, which only state does. */
  readonly moduleState: readonly string[];
}

export function factsOf(file: SourceFile): Facts {
  const tree = syntaxOf(file);
  const functions: FunctionSpan[] = [];
  const names = new Set<string>();
  walk(tree, [], (node, parents) => {
    if (/^(Function|ArrowFunction)/.test(node.type)) functions.push(spanOf(node, parents));
    if (node.type === 'MemberExpression') {
      const object = node['object'] as Tree;
      const property = node['property'] as Tree;
      if (object.type === 'Identifier' && property.type === 'Identifier')
        names.add(`${object['name']}.${property['name']}`);
    }
    if (node.type === 'CallExpression') {
      const callee = node['callee'] as Tree;
      if (callee.type === 'Identifier') names.add(String(callee['name']));
    }
  });
  return { functions, names, moduleState: moduleState(tree, file.text) };
}

function walk(node: Tree, parents: readonly Tree[], visit: (node: Tree, parents: readonly Tree[]) => void): void {
  visit(node, parents);
  const below = [...parents, node];
  for (const value of Object.values(node)) {
    for (const child of [value].flat()) {
      if (typeof child === 'object' && child !== null && 'type' in child) walk(child as Tree, below, visit);
    }
  }
}

function spanOf(node: Tree, parents: readonly Tree[]): FunctionSpan {
  const parent = parents.at(-1);
  const named = (node['id'] ?? parent?.['key'] ?? parent?.['id']) as Tree | null | undefined;
  const { start, end } = node.loc as NonNullable<Node['loc']>;
  return { name: String(named?.['name'] ?? 'function'), line: start.line, lines: end.line - start.line + 1 };
}

/** An empty ReadonlyMap stays empty: the type says so. */
function moduleState(tree: Tree, text: string): string[] {
  return (tree['body'] as Tree[]).flatMap(statement => {
    const declaration = (
      statement.type === 'ExportNamedDeclaration' ? statement['declaration'] : statement
    ) as Tree | null;
    if (declaration?.type !== 'VariableDeclaration') return [];
    const mutable = declaration['kind'] !== 'const';
    if (!mutable && /: Readonly(Map|Set)</.test(text.slice(declaration.start, declaration.end))) return [];
    return (declaration['declarations'] as Tree[])
      .filter(({ init }) => mutable || startsEmpty(init as Tree | null))
      .map(({ id }) => `${declaration['kind']} ${(id as Tree)['name']}`);
  });
}

function startsEmpty(init: Tree | null): boolean {
  if (init?.type !== 'NewExpression') return false;
  const callee = init['callee'] as Tree;
  return (
    ['Map', 'Set', 'WeakMap', 'WeakSet'].includes(String(callee['name'])) &&
    (init['arguments'] as unknown[]).length === 0
  );
}
