/** Schemas of the JSON answers, by name under #/components/schemas. */
import { ERRORS } from '../../errors.ts';
import { ACCOUNTS, type Level } from '../../memory/types.ts';
import { COUNT, NUMBER, object, TEXT, YES_NO } from './parts.ts';
import { FEATURE_SCHEMAS } from './schemas-features.ts';
import { LAYER_SCHEMAS } from './schemas-layers.ts';
import { TILESET_SCHEMAS } from './schemas-tilesets.ts';
import type { Schema } from './types.ts';

const LEVELS = ['normal', 'warning', 'critical'] as const satisfies readonly Level[];

const PROBLEM: Schema = {
  ...object(
    {
      type: { type: 'string', pattern: '^urn:plimsoll:problem:' },
      title: TEXT,
      status: { type: 'integer', minimum: 400, maximum: 599 },
      code: { $ref: '#/components/schemas/ProblemCode' },
      detail: TEXT,
      instance: TEXT,
    },
    {
      reasons: { type: 'array', items: { $ref: '#/components/schemas/Reason' } },
      retryAfterSeconds: NUMBER,
      fits: { type: 'object', description: 'With 413: parameters that would fit.' },
      parameter: { type: 'string', description: 'With unknown-parameter: its name.' },
    },
  ),
  description: 'RFC 9457. The code is stable and what programs should look at; the detail names the offending value.',
};

const COST = object({ inputBytes: COUNT, decodedBytes: COUNT, outputBytes: COUNT });

const OPERATIONS: Readonly<Record<string, Schema>> = {
  Plan: {
    ...object(
      { operation: TEXT, layers: { type: 'array', items: TEXT }, empty: YES_NO, cost: COST, priceBytes: NUMBER },
      {
        degradedPriceBytes: {
          type: ['number', 'null'],
          description: 'Price of the degraded answer; null: there is none.',
        },
        plan: { type: 'object', description: 'What would be read; differs by operation.' },
      },
    ),
    description: 'What a request would read and cost, told from the index alone.',
  },
  Status: object({ status: TEXT }, { reason: TEXT }),
  Memory: object(
    {
      limit: COUNT,
      line: COUNT,
      used: COUNT,
      rss: COUNT,
      level: { type: 'string', enum: LEVELS },
      source: TEXT,
      accounts: object(Object.fromEntries(ACCOUNTS.map(account => [account, COUNT]))),
      booked: COUNT,
    },
    {},
  ),
};

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Problem: PROBLEM,
  ProblemCode: { type: 'string', enum: Object.keys(ERRORS), description: 'Every code there is.' },
  Reason: {
    ...object({ code: TEXT, detail: TEXT }, { remedy: { type: 'string', description: 'Command line that mends it.' } }),
    description: 'One reason of a verdict.',
  },
  ...OPERATIONS,
  ...LAYER_SCHEMAS,
  ...FEATURE_SCHEMAS,
  ...TILESET_SCHEMAS,
};
