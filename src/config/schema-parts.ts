/** What the schema of the configuration is made of: kinds of values, each with its unit, bounds and default. */
import { type TProperties, Type } from 'typebox';
import { BYTES_PATTERN, DURATION_PATTERN } from './units.ts';

interface UnitOptions {
  readonly description: string;
  readonly default: string | number | null;
  readonly minimum?: number;
}

export const bytes = (options: UnitOptions & { default: string | number }) =>
  Type.Unsafe<number>({
    type: ['string', 'integer'],
    pattern: BYTES_PATTERN,
    minimum: 0,
    'x-unit': 'bytes',
    ...options,
  });

/** null: derived from the memory limit at start (see `plimsoll memory`). */
export const derivedBytes = (description: string) =>
  Type.Unsafe<number | null>({
    type: ['string', 'integer', 'null'],
    pattern: BYTES_PATTERN,
    minimum: 0,
    'x-unit': 'bytes',
    default: null,
    description,
  });

/** Loaded as milliseconds. A bare number is taken only where the key ends in Ms. */
export const duration = (options: UnitOptions & { default: string }) =>
  Type.Unsafe<number>({ type: 'string', pattern: DURATION_PATTERN, 'x-unit': 'ms', ...options });
export const milliseconds = (options: UnitOptions & { default: number }) =>
  Type.Unsafe<number>({
    type: ['string', 'integer'],
    pattern: DURATION_PATTERN,
    minimum: 0,
    'x-unit': 'ms',
    ...options,
  });
/** null: derived from the memory limit at start. */
export const derivedDuration = (description: string) =>
  Type.Unsafe<number | null>({
    type: ['string', 'null'],
    pattern: DURATION_PATTERN,
    'x-unit': 'ms',
    default: null,
    description,
  });
/** Loaded as seconds, since it goes into Cache-Control; a bare number is seconds. */
export const seconds = (options: UnitOptions) =>
  Type.Unsafe<number>({
    type: ['string', 'integer'],
    pattern: DURATION_PATTERN,
    minimum: 0,
    'x-unit': 's',
    ...options,
  });

export const choice = <const T extends readonly string[]>(values: T, fallback: T[number], description: string) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: values, default: fallback, description });

export const share = (fallback: number, description: string) =>
  Type.Number({ exclusiveMinimum: 0, maximum: 1, default: fallback, description });

export const count = (fallback: number, description: string, bounds: { minimum?: number; maximum?: number } = {}) =>
  Type.Integer({ minimum: 0, default: fallback, description, ...bounds });

export const flag = (fallback: boolean, description: string) => Type.Boolean({ default: fallback, description });

/** null: derived from other settings. */
export const derivedCount = (description: string, bounds: { maximum?: number } = {}) =>
  Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 1, default: null, description, ...bounds });

/** null: derived from the memory limit at start. */
export const derivedFlag = (description: string) =>
  Type.Unsafe<boolean | null>({ type: ['boolean', 'null'], default: null, description });

export const section = <T extends TProperties>(description: string, properties: T) =>
  Type.Object(properties, { additionalProperties: false, description });

export const nullableText = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], minLength: 1, default: null, description });

export const texts = (fallback: readonly string[], description: string) =>
  Type.Array(Type.String({ minLength: 1 }), { default: [...fallback], description });
