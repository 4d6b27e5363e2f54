/** The leak watch behind the admin token. */
import { json, queryParam } from './parts.ts';
import type { Endpoint } from './types.ts';

const ADMIN = ['unauthorized', 'forbidden'] as const;
const LABEL = { type: 'string', pattern: '^[\\w.-]{1,64}$' };

const admin = { tag: 'operations', method: 'get', security: 'adminToken', parameters: [] } as const;
const at = (path: string) => ({ route: path, path });

/** The leak watch: photographs of all figures, what differs between two, who allocated, how many there are. */
export function leakEndpoints(): Endpoint[] {
  return [...snapshotEndpoints(), ...heapEndpoints()];
}

function snapshotEndpoints(): Endpoint[] {
  return [
    {
      ...admin,
      ...at('/debug/memory/snapshots'),
      id: 'getMemorySnapshots',
      summary: 'The labelled snapshots that are kept, the oldest first; at most 16',
      answers: { 200: json('Figures and owners of each.', { type: 'object' }) },
      problems: ADMIN,
    },
    {
      ...admin,
      ...at('/debug/memory/snapshots'),
      method: 'post',
      id: 'takeMemorySnapshot',
      summary: 'Keeps all figures of this moment under a label',
      parameters: [
        queryParam('label', 'Its name; an older one of this name is replaced.', LABEL, {
          required: true,
          example: 'baseline',
        }),
      ],
      answers: { 201: json('What was kept: numbers, never contents.', { type: 'object' }) },
      problems: [...ADMIN, 'bad-parameter'],
    },
    {
      ...admin,
      ...at('/debug/memory/difference'),
      id: 'getMemoryDifference',
      summary: 'What changed between two snapshots, the largest change first',
      parameters: [
        queryParam('from', 'Label, or now.', LABEL, { required: true, example: 'now' }),
        queryParam('to', 'Label, or now.', { ...LABEL, default: 'now' }, { example: 'now' }),
      ],
      answers: { 200: json('Figure, from, to and by how much.', { type: 'object' }) },
      problems: [...ADMIN, 'bad-parameter', 'not-found'],
    },
  ];
}

function heapEndpoints(): Endpoint[] {
  return [
    {
      ...admin,
      ...at('/debug/memory/allocations'),
      id: 'getMemoryAllocations',
      summary: 'Where what was allocated in the next seconds, and still lives then, was allocated',
      description: 'Sampled, one allocation in 512 KiB. Refused near the limit.',
      parameters: [
        queryParam('seconds', 'How long.', { type: 'integer', minimum: 1, maximum: 60, default: 5 }, { example: 1 }),
      ],
      answers: { 200: json('Function, file, line and estimated bytes.', { type: 'object' }) },
      problems: [...ADMIN, 'unprocessable', 'overloaded'],
    },
    {
      ...admin,
      ...at('/debug/memory/objects'),
      id: 'getMemoryObjects',
      summary: 'How many objects there are, by constructor',
      description:
        'Collects garbage and walks the heap: the server stands still for up to 0.2 s. Refused near the limit.',
      parameters: [
        queryParam(
          'class',
          'Names, by comma; all that can be counted where absent.',
          { type: 'string' },
          {
            example: 'Map,Promise',
          },
        ),
      ],
      answers: { 200: json('Counts.', { type: 'object' }) },
      problems: [...ADMIN, 'bad-parameter', 'overloaded'],
    },
  ];
}
