/** From endpoints to an OpenAPI 3.1 document. Every $ref is local, so the document stands alone. */
import { ERRORS, type ErrorCode } from '../../errors.ts';
import { HEADERS, type HeaderName } from './headers.ts';
import { EXPLAIN, IF_NONE_MATCH, ref, STRICT } from './parts.ts';
import { RASTER_TILE_PARAMETERS } from './raster-parameters.ts';
import { SCHEMAS } from './schemas.ts';
import type { Answer, Body, Endpoint, Parameter, Tag } from './types.ts';

export interface DocumentInput {
  readonly endpoints: readonly Endpoint[];
  readonly url: string;
  readonly version: string;
}

export const TAGS: Readonly<Record<Tag, string>> = {
  catalogue: 'What is served.',
  tiles: 'TileJSON, and vector and raster tiles, in WebMercatorQuad and other tile matrix sets.',
  cog: 'Windows, previews, values and tiles of rasters, under titiler’s names.',
  features: 'OGC API Features.',
  sessions: 'Layers that a dashboard uploads for a while.',
  operations: 'Health, metrics, memory.',
  viewer: 'The viewer and this description.',
};

const DESCRIPTION =
  `Every GET answers HEAD too. An unknown query parameter is 400 \`unknown-parameter\`, so that a misspelt one
never means "all". Errors are RFC 9457 problem+json with a stable \`code\`. Cold work is priced before it is read: what does not fit
for now is degraded (X-Tile-Degraded) or 503 with Retry-After, what can never fit is 413 and says what would.`.replaceAll(
    '\n',
    ' ',
  );

/** Parameters that many endpoints share are written once. */
const SHARED: ReadonlySet<Parameter> = new Set([...RASTER_TILE_PARAMETERS, EXPLAIN, STRICT, IF_NONE_MATCH]);

export function openApi({ endpoints, url, version }: DocumentInput): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpoints) {
    paths[endpoint.path] ??= {};
    paths[endpoint.path][endpoint.method] = operation(endpoint);
  }
  const tags = new Set(endpoints.map(({ tag }) => tag));
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Plimsoll',
      summary: 'Vector tiles, features and raster windows out of FlatGeobuf and Cloud Optimized GeoTIFF',
      description: DESCRIPTION,
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url }],
    tags: Object.entries(TAGS)
      .filter(([name]) => tags.has(name as Tag))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: SCHEMAS,
      parameters: Object.fromEntries([...SHARED].map(parameter => [componentName(parameter), parameter])),
      headers: HEADERS,
      securitySchemes: {
        sessionSecret: { type: 'http', scheme: 'bearer', description: 'The secret that POST /sessions told.' },
        adminToken: { type: 'http', scheme: 'bearer', description: 'The adminToken of the configuration.' },
      },
    },
  };
}

function operation(endpoint: Endpoint): Record<string, unknown> {
  const { id, tag, summary, description, parameters, body, answers, problems, security } = endpoint;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    ...(security ? { security: [{ [security]: [] }] } : {}),
    parameters: parameters.map(parameter =>
      SHARED.has(parameter) ? { $ref: `#/components/parameters/${componentName(parameter)}` } : parameter,
    ),
    ...(body ? { requestBody: bodyOf(body) } : {}),
    responses: { ...responses(answers), ...problemResponses(problemsOf(endpoint, problems)) },
  };
}

function componentName({ name }: Parameter): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, '');
}

function bodyOf({ description, required, content, example }: Body): Record<string, unknown> {
  const media = Object.entries(content).map(([type, schema]) => [type, { ...mediaOf(type, schema), example }]);
  return { description, required, content: Object.fromEntries(media) };
}

function responses(answers: Endpoint['answers']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, response(answer)]));
}

function response({ description, headers = [], content }: Answer): Record<string, unknown> {
  const media = content && Object.entries(content).map(([type, schema]) => [type, mediaOf(type, schema)]);
  return {
    description,
    ...(headers.length > 0 ? { headers: headerRefs(headers) } : {}),
    ...(media ? { content: Object.fromEntries(media) } : {}),
  };
}

/** Bytes have no schema in OpenAPI 3.1; text has one. */
function mediaOf(
  type: string,
  schema: Endpoint['body'] | null | Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (schema) return { schema };
  return type.startsWith('text/') ? { schema: { type: 'string' } } : {};
}

function headerRefs(names: readonly HeaderName[]): Record<string, unknown> {
  return Object.fromEntries(names.map(name => [name, { $ref: `#/components/headers/${name}` }]));
}

/** What any route may answer beside its own problems. */
function problemsOf({ anyQuery }: Endpoint, own: readonly ErrorCode[]): ErrorCode[] {
  return [...new Set<ErrorCode>([...own, ...(anyQuery ? [] : ['unknown-parameter' as const]), 'internal'])];
}

/** One response a status: the codes that may stand under it. */
function problemResponses(codes: readonly ErrorCode[]): Record<string, unknown> {
  const byStatus = Map.groupBy(codes, code => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => {
      const description = group.map(code => `\`${code}\`: ${ERRORS[code].title}.`).join(' ');
      const code = { properties: { status: { const: status }, code: { enum: group } } };
      return [
        String(status),
        {
          description,
          headers: headerRefs(problemHeaders(status, group)),
          content: { 'application/problem+json': { schema: { allOf: [ref('Problem'), code] } } },
        },
      ];
    }),
  );
}

function problemHeaders(status: number, codes: readonly ErrorCode[]): HeaderName[] {
  const again = codes.some(code => 'retryAfter' in ERRORS[code]);
  return [
    ...(again ? (['Retry-After'] as const) : []),
    ...(status === 401 ? (['WWW-Authenticate'] as const) : []),
    'Cache-Control',
  ];
}
