/** The example URL of an endpoint: its path and its required parameters, filled with their examples. */
import type { Endpoint, Parameter } from './types.ts';

/** Relative, without a leading slash, so that it works below any base path. */
export function exampleUrl({ path, parameters }: Endpoint, more: readonly Parameter[] = []): string {
  const filled = parameters
    .filter(parameter => parameter.in === 'path')
    .reduce((url, { name, example }) => url.replace(`{${name}}`, encodeURIComponent(String(example))), path);
  const query = [...parameters.filter(({ in: where, required }) => where === 'query' && required), ...more];
  const search = query.flatMap(queryText).join('&');
  return search === '' ? filled.slice(1) : `${filled.slice(1)}?${search}`;
}

/** Commas are left as they are: they separate, and are what people type. */
function queryText({ name, example, explode }: Parameter): string[] {
  const text = (value: unknown) =>
    encodeURIComponent(String(value)).replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%2F', '/');
  if (!Array.isArray(example)) return [`${name}=${text(example)}`];
  return explode ? example.map(value => `${name}=${text(value)}`) : [`${name}=${example.map(text).join(',')}`];
}
