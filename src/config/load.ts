/**
 * The configuration: file, then environment, then flags, each checked against the one schema before they meet, so that a
 * refusal names its own place. The result is frozen; nothing else in src/ reads the environment.
 */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { breaches } from './checks.ts';
import { readEnv, valueOfText } from './env.ts';
import { type ConfigFile, parseConfigFile } from './file.ts';
import { ConfigError, type ConfigIssue, dotted, type KeyPath, schemaFaults } from './issues.ts';
import { type Config, inputSchema, type SchemaNode, type Unit } from './schema.ts';
import { parseBytes, parseDuration } from './units.ts';

export { ConfigError, type ConfigIssue, formatIssue } from './issues.ts';
export type { Config, LayerConfig } from './schema.ts';

/** Flags as they were typed: `key` is the dotted key they set. */
export interface FlagValue {
  readonly flag: string;
  readonly key: string;
  readonly text: string;
}

export interface ConfigInput {
  readonly file?: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags?: readonly FlagValue[];
  /** Files and folders named on the command line; they add to the file's. */
  readonly paths?: readonly string[];
  /** What relative paths of flags and variables start from. */
  readonly cwd?: string;
}

type Tree = { [key: string]: unknown };
type Locate = (path: KeyPath, atKey: boolean) => Omit<ConfigIssue, 'message'>;

/** Throws ConfigError with every issue that was found. */
export function loadConfig(input: ConfigInput): Config {
  const schema = inputSchema();
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: true,
    allowUnionTypes: true,
    strictTypes: false,
  });
  ajv.addKeyword('x-unit');
  ajv.addKeyword('x-optional');
  const issues: ConfigIssue[] = [];
  const cwd = input.cwd ?? process.cwd();

  const file = input.file ? readConfigFile(resolve(cwd, input.file), input.file, issues) : null;
  if (file) {
    dropEmptySections(schema, file.data);
    collect(ajv.compile(schema), file.data, locateIn(file, input.file ?? ''), issues);
    issues.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  }
  const base = input.file ? dirname(resolve(cwd, input.file)) : cwd;
  const tree = (file && issues.length === 0 ? structuredClone(file.data) : {}) as Tree;
  if (Array.isArray(tree['paths'])) tree['paths'] = tree['paths'].map(path => absolute(base, String(path)));
  for (const layer of Object.values((tree['layers'] ?? {}) as Record<string, Tree>)) {
    if (typeof layer['path'] === 'string') layer['path'] = absolute(base, layer['path']);
    const { paths } = (layer['mosaic'] ?? {}) as { paths?: unknown };
    if (Array.isArray(paths)) (layer['mosaic'] as Tree)['paths'] = paths.map(path => absolute(base, String(path)));
  }
  const sets = (tree['tileMatrixSets'] ?? {}) as Record<string, string>;
  for (const [id, path] of Object.entries(sets)) sets[id] = absolute(base, path);

  const origins = new Map<string, Omit<ConfigIssue, 'message'>>();
  for (const { name, path, schema: leaf, text, origin } of overrides(input, schema, issues)) {
    let value = valueOfText(leaf, text);
    if (path[0] === 'paths') value = (value as string[]).map(part => absolute(cwd, part));
    const before = issues.length;
    collect(ajv.compile(leaf), value, () => ({ origin, key: name }), issues);
    if (issues.length === before) put(tree, path, value);
    origins.set(dotted(path), { origin, key: name });
  }
  if (input.paths?.length)
    tree['paths'] = [...((tree['paths'] as string[]) ?? []), ...input.paths.map(path => absolute(cwd, path))];
  if (issues.length > 0) throw new ConfigError(issues);

  const locate: Locate = (path, atKey) =>
    origins.get(dotted(path)) ??
    (file ? locateIn(file, input.file ?? '')(path, atKey) : { origin: 'configuration', key: dotted(path) });
  const config = complete(
    schema,
    tree,
    [],
    (path, message) => issues.push({ ...locate(path, false), message }),
    file,
  ) as Config;
  if (issues.length > 0) throw new ConfigError(issues);
  issues.push(...breaches(config).map(({ path, message }) => ({ ...locate(path, false), message })));
  if (issues.length > 0) throw new ConfigError(issues);
  return deepFreeze(config);
}

function readConfigFile(path: string, name: string, issues: ConfigIssue[]): ConfigFile | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    issues.push({ origin: name, key: '', message: `cannot be read: ${(error as Error).message}` });
    return null;
  }
  const parsed = parseConfigFile(name, text);
  if (!('issues' in parsed)) return parsed;
  issues.push(...parsed.issues);
  return null;
}

/** `memory:` with every line under it commented out is null to YAML and an empty section to people. */
function dropEmptySections(schema: SchemaNode, data: unknown): void {
  if (typeof data !== 'object' || data === null) return;
  for (const [key, value] of Object.entries(data)) {
    const node =
      schema.properties?.[key] ??
      (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    if (node?.type !== 'object') continue;
    if (value === null) (data as Tree)[key] = {};
    else dropEmptySections(node, value);
  }
}

function locateIn(file: ConfigFile, name: string): Locate {
  return (path, atKey) => ({ origin: name, ...file.place(path, atKey), key: dotted(path) });
}

function collect(validate: ValidateFunction, data: unknown, locate: Locate, issues: ConfigIssue[]): void {
  if (validate(data)) return;
  for (const { path, atKey, message } of schemaFaults(validate.errors ?? []))
    issues.push({ ...locate(path, atKey), message });
}

interface Override {
  readonly origin: string;
  readonly name: string;
  readonly path: KeyPath;
  readonly schema: SchemaNode;
  readonly text: string;
}

/** Environment first, so that flags win. */
function overrides(input: ConfigInput, schema: SchemaNode, issues: ConfigIssue[]): Override[] {
  const env = readEnv(input.env, schema);
  issues.push(...env.issues);
  const list: Override[] = env.values.map(value => ({ ...value, origin: 'environment' }));
  for (const { flag, key, text } of input.flags ?? []) {
    const path = key.split('.');
    const node = path.reduce<SchemaNode | undefined>((at, part) => at?.properties?.[part], schema);
    if (node && node.type !== 'object') list.push({ origin: 'command line', name: flag, path, schema: node, text });
    else issues.push({ origin: 'command line', key: flag, message: `no such key ${JSON.stringify(key)}` });
  }
  return list;
}

function put(tree: Tree, path: KeyPath, value: unknown): void {
  let at = tree;
  for (const part of path.slice(0, -1)) {
    at[part] ??= {};
    at = at[part] as Tree;
  }
  at[String(path.at(-1))] = value;
}

type Fault = (path: KeyPath, message: string) => void;

/** Fills in defaults and turns sizes and durations into numbers. */
function complete(schema: SchemaNode, value: unknown, path: KeyPath, fault: Fault, file: ConfigFile | null): unknown {
  if (value === undefined && schema['x-optional']) return undefined;
  const given = value === undefined ? schema.default : value;
  if (schema['x-unit']) return unitValue(schema['x-unit'], given, path, fault, file);
  if (Array.isArray(given)) return [...given];
  if (schema.type !== 'object') return given;
  const from = (given ?? {}) as Tree;
  const out: Tree = {};
  for (const [key, node] of Object.entries(schema.properties ?? {})) {
    const done = complete(node, from[key], [...path, key], fault, file);
    if (done !== undefined) out[key] = done;
  }
  const others = schema.additionalProperties;
  if (typeof others === 'object') {
    for (const key of Object.keys(from)) out[key] = complete(others, from[key], [...path, key], fault, file);
  }
  return out;
}

/** 5e6 and 0x10 are numbers to YAML, but nobody means them as a size. */
function unitValue(unit: Unit, value: unknown, path: KeyPath, fault: Fault, file: ConfigFile | null): unknown {
  if (typeof value === 'number') {
    const odd = file?.oddNumber(path);
    if (odd) fault(path, `write ${odd} in plain digits or with a unit`);
    return value;
  }
  if (typeof value !== 'string') return value;
  if (unit === 'nan') return Number.NaN;
  const parsed = unit === 'bytes' ? parseBytes(value) : parseDuration(value);
  if ('fault' in parsed) {
    fault(path, parsed.fault);
    return 0;
  }
  return unit === 's' ? Math.round(parsed.value / 1000) : parsed.value;
}

function absolute(base: string, path: string): string {
  return /^[a-z][a-z0-9+.-]+:\/\//.test(path) || isAbsolute(path) ? path : resolve(base, path);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
