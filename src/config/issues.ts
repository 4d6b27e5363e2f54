/** What is wrong with a configuration, said so that it can be mended: where, which key, what was found, what would be right. */
import type { ErrorObject } from 'ajv';
import { didYouMean } from '../nearest.ts';
import type { SchemaNode } from './schema.ts';
import { LAYER_ID_PATTERN } from './schema.ts';
import { parseBytes, parseDuration } from './units.ts';

export type KeyPath = readonly (string | number)[];

export interface ConfigIssue {
  /** File name, `environment` or `command line`. */
  readonly origin: string;
  readonly line?: number;
  readonly column?: number;
  /** Dotted key, variable or flag; empty for the whole file. */
  readonly key: string;
  readonly message: string;
}

export function formatIssue(issue: ConfigIssue): string {
  const place = issue.line === undefined ? issue.origin : `${issue.origin}:${issue.line}:${issue.column}`;
  return issue.key === '' ? `${place}: ${issue.message}` : `${place}: ${issue.key}: ${issue.message}`;
}

/** Caught by main (exit code 78) and by the SIGHUP reload (the old configuration stays). */
export class ConfigError extends Error {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super(issues.map(formatIssue).join('\n'));
    this.name = 'ConfigError';
    this.issues = issues;
  }
}

export interface SchemaFault {
  readonly path: KeyPath;
  /** The fault is the key itself, so its own place is shown and not its value's. */
  readonly atKey: boolean;
  readonly message: string;
}

export function dotted(path: KeyPath): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

function pointerPath(pointer: string): KeyPath {
  const parts = pointer.split('/').slice(1);
  return parts.map(part => {
    const text = part.replaceAll('~1', '/').replaceAll('~0', '~');
    return /^[0-9]+$/.test(text) ? Number(text) : text;
  });
}

/** Ajv's errors (verbose) as faults; several errors about one value become the first. */
export function schemaFaults(errors: readonly ErrorObject[]): SchemaFault[] {
  const faults = new Map<string, SchemaFault>();
  for (const error of errors) {
    // The inner half of a propertyNames error.
    if (error.propertyName !== undefined) continue;
    const fault = schemaFault(error);
    const key = dotted(fault.path);
    if (!faults.has(key)) faults.set(key, fault);
  }
  return [...faults.values()];
}

function schemaFault(error: ErrorObject): SchemaFault {
  const path = pointerPath(error.instancePath);
  const schema = (error.parentSchema ?? {}) as SchemaNode;
  if (error.keyword === 'additionalProperties') {
    const name = String(error.params['additionalProperty']);
    const known = Object.keys(schema.properties ?? {});
    return {
      path: [...path, name],
      atKey: true,
      message: `unknown key${didYouMean(name, known) || `; known here: ${known.join(', ')}`}`,
    };
  }
  if (error.keyword === 'propertyNames') {
    const name = String(error.params['propertyName']);
    return { path: [...path, name], atKey: true, message: `is not a layer id: must match ${LAYER_ID_PATTERN}` };
  }
  return { path, atKey: false, message: valueFault(error, schema) };
}

function valueFault(error: ErrorObject, schema: SchemaNode): string {
  const found = shown(error.data);
  const unit = schema['x-unit'];
  if (unit !== undefined && typeof error.data === 'string' && error.keyword === 'pattern') {
    if (unit === 'nan') return `must be ${typeWords(schema)}, not ${found}`;
    const parsed = unit === 'bytes' ? parseBytes(error.data) : parseDuration(error.data);
    return 'fault' in parsed ? parsed.fault : `${found} is not understood`;
  }
  if (error.keyword === 'type') return `must be ${typeWords(schema)}, not ${found}`;
  if (error.keyword === 'enum') {
    const allowed = (error.params['allowedValues'] as unknown[]).map(String);
    const near = typeof error.data === 'string' ? didYouMean(error.data, allowed) : '';
    return `must be one of ${allowed.join(', ')}, not ${found}${near}`;
  }
  if (error.keyword === 'minLength') return 'must not be empty';
  return `${error.message ?? 'is not valid'}, not ${found}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function typeWords(schema: SchemaNode): string {
  const unit = schema['x-unit'];
  if (unit === 'nan') return 'a number or nan';
  if (unit === 'bytes') return 'a size such as 256MiB';
  if (unit !== undefined) {
    const bare = Array.isArray(schema.type) ? (unit === 's' ? ' or whole seconds' : ' or whole milliseconds') : '';
    return `a duration such as 1500ms, 30s or 5m${bare}`;
  }
  const words: Readonly<Record<string, string>> = {
    array: 'a list',
    boolean: 'true or false',
    integer: 'a whole number',
    null: 'null',
    number: 'a number',
    object: 'a section of keys',
    string: 'text',
  };
  return [schema.type ?? 'object']
    .flat()
    .map(type => words[type] ?? type)
    .join(' or ');
}
