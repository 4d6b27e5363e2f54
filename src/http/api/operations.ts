/** What operators and their machines ask: liveness, readiness, metrics, memory. */
import { leakEndpoints } from './leak.ts';
import { json, ref } from './parts.ts';
import type { Endpoint } from './types.ts';

const GET = { tag: 'operations', method: 'get', parameters: [] } as const;

export function operationEndpoints(): Endpoint[] {
  return [
    {
      ...GET,
      id: 'getLiveness',
      route: '/livez',
      path: '/livez',
      anyQuery: true,
      summary: 'Whether the process answers; does no work',
      answers: { 200: json('It does.', ref('Status')) },
      problems: [],
    },
    {
      ...GET,
      id: 'getReadiness',
      route: '/readyz',
      path: '/readyz',
      anyQuery: true,
      summary: 'Whether new requests should be sent here',
      answers: {
        200: json('Ready.', ref('Status')),
        503: json('Not now, and why.', ref('Status'), ['Retry-After', 'Cache-Control']),
      },
      problems: [],
    },
    {
      ...GET,
      id: 'getMetrics',
      route: '/metrics',
      path: '/metrics',
      anyQuery: true,
      summary: 'Metrics for Prometheus',
      answers: {
        200: { description: 'Text exposition format.', headers: ['Cache-Control'], content: { 'text/plain': null } },
      },
      problems: [],
    },
    {
      ...GET,
      id: 'getMemory',
      route: '/memory',
      path: '/memory',
      summary: 'Limit, load line, use and books, in a few numbers',
      answers: { 200: json('Bytes.', ref('Memory')) },
      problems: [],
    },
    {
      ...GET,
      id: 'getDebugMemory',
      route: '/debug/memory',
      path: '/debug/memory',
      security: 'adminToken',
      summary: 'Everything the memory controller knows',
      description: 'Closed where no adminToken is configured. Its members may change with every version.',
      answers: { 200: json('Budget, ledger, admission, cache, pool.', ref('Memory')) },
      problems: ['unauthorized', 'forbidden'],
    },
    ...leakEndpoints(),
  ];
}
