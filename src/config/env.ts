/**
 * Environment names: PLIMSOLL_ and the key path in upper case with underscores (cache.maxEntryBytes is
 * PLIMSOLL_CACHE_MAX_ENTRY_BYTES), plus a few short ones.
 */

import { didYouMean } from '../nearest.ts';
import type { ConfigIssue, KeyPath } from './issues.ts';
import type { SchemaNode } from './schema.ts';

const SHORT_NAMES: Readonly<Record<string, KeyPath>> = {
  PLIMSOLL_HOST: ['server', 'host'],
  PLIMSOLL_PORT: ['server', 'port'],
  PLIMSOLL_PUBLIC_URL: ['server', 'publicUrl'],
  PLIMSOLL_MEMORY: ['memory', 'limit'],
  PLIMSOLL_WORKERS: ['memory', 'workers'],
};

/** Read elsewhere: the configuration file and the mark of a relaunched process (main), and the tests' Python. */
const OTHER_NAMES = ['PLIMSOLL_CONFIG', 'PLIMSOLL_RELAUNCH', 'PLIMSOLL_PYTHON'];

export interface Leaf {
  readonly path: KeyPath;
  readonly schema: SchemaNode;
}

/** Every key that holds a value and not a section; layers have no environment names. */
export function leaves(schema: SchemaNode, path: KeyPath = []): Leaf[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, node]): Leaf[] => {
    if (node.type !== 'object') return [{ path: [...path, key], schema: node }];
    return leaves(node, [...path, key]);
  });
}

export function envName(path: KeyPath): string {
  const snake = path.map(part =>
    String(part)
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .toUpperCase(),
  );
  return `PLIMSOLL_${snake.join('_')}`;
}

export function envLeaves(schema: SchemaNode): Map<string, Leaf> {
  const all = leaves(schema);
  const names = new Map(all.map(leaf => [envName(leaf.path), leaf]));
  for (const [name, path] of Object.entries(SHORT_NAMES)) {
    const leaf = all.find(candidate => candidate.path.join('.') === path.join('.'));
    if (leaf) names.set(name, leaf);
  }
  return names;
}

/** Kubernetes sets PLIMSOLL_PORT=tcp://… and PLIMSOLL_SERVICE_… in every pod beside a Service named plimsoll. */
function fromKubernetes(name: string, value: string): boolean {
  return (
    /^PLIMSOLL_SERVICE_(HOST|PORT)/.test(name) ||
    /^PLIMSOLL_PORT_[0-9]+_/.test(name) ||
    (name === 'PLIMSOLL_PORT' && /^(tcp|udp|sctp):\/\//.test(value))
  );
}

/** Text of a variable or flag as the value a file would hold. A list is separated by commas. */
export function valueOfText(schema: SchemaNode, text: string): unknown {
  const types = [schema.type ?? 'string'].flat();
  if (types.includes('array'))
    return text
      .split(',')
      .map(part => part.trim())
      .filter(part => part !== '');
  if (types.includes('boolean'))
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
  if (types.includes('null') && text === 'null') return null;
  const numeric = types.includes('integer') ? /^-?[0-9]+$/ : /^-?[0-9]+(\.[0-9]+)?$/;
  if ((types.includes('integer') || types.includes('number')) && numeric.test(text)) return Number(text);
  return text;
}

export interface EnvValue extends Leaf {
  readonly name: string;
  readonly text: string;
}

/** Empty variables count as unset, as compose files and charts leave them. */
export function readEnv(
  env: Readonly<Record<string, string | undefined>>,
  schema: SchemaNode,
): { values: EnvValue[]; issues: ConfigIssue[] } {
  const known = envLeaves(schema);
  const values: EnvValue[] = [];
  const issues: ConfigIssue[] = [];
  for (const [name, raw] of Object.entries(env)) {
    const text = raw?.trim() ?? '';
    if (!name.startsWith('PLIMSOLL_') || OTHER_NAMES.includes(name) || text === '' || fromKubernetes(name, text))
      continue;
    const leaf = known.get(name);
    if (leaf) values.push({ ...leaf, name, text });
    else
      issues.push({ origin: 'environment', key: name, message: `unknown variable${didYouMean(name, known.keys())}` });
  }
  // The long name of a key wins over its short one, whatever their order.
  values.sort((a, b) => Number(b.name in SHORT_NAMES) - Number(a.name in SHORT_NAMES));
  return { values, issues };
}
