/** Query parameters that the description does not name are refused: a misspelt one must not mean "all" or "as usual". */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { problem } from '../../errors.ts';
import { didYouMean } from '../../nearest.ts';
import { clip } from '../params.ts';
import type { Endpoint } from './types.ts';

export function checkQueries(app: FastifyInstance, endpoints: readonly Endpoint[]): void {
  const known = knownByRoute(endpoints);
  app.addHook('preValidation', (request, _reply, done) => {
    const { url = '' } = request.routeOptions;
    const names = known.get(`${request.method === 'HEAD' ? 'GET' : request.method} ${url}`);
    const unknown = names && Object.keys(request.query as object).find(name => !names.has(name));
    done(unknown === undefined ? undefined : refusal(request, unknown, names as ReadonlySet<string>));
  });
}

/** The names of a route, whatever the form of its last segment. Free ones (attributes) are for the route itself to judge. */
function knownByRoute(endpoints: readonly Endpoint[]): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, Set<string>>();
  const open = new Set<string>();
  for (const { method, route, parameters, anyQuery } of endpoints) {
    const key = `${method.toUpperCase()} ${route}`;
    const query = parameters.filter(parameter => parameter.in === 'query');
    if (anyQuery || query.some(({ schema }) => schema['type'] === 'object')) open.add(key);
    const names = known.get(key) ?? new Set();
    for (const { name } of query) names.add(name);
    known.set(key, names);
  }
  for (const key of open) known.delete(key);
  return known;
}

function refusal(request: FastifyRequest, name: string, known: ReadonlySet<string>): Error {
  const path = clip(request.url.split('?')[0]);
  const takes = known.size === 0 ? ', which takes none' : didYouMean(name, known);
  return problem('unknown-parameter', `"${clip(name)}" is no query parameter of ${path}${takes}`, {
    parameter: clip(name),
  });
}
