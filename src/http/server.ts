/** Fastify set up once, and the route table on one screen. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Logger } from 'pino';
import { problem } from '../errors.ts';
import { HEADERS } from './api/headers.ts';
import { registerApiDocs } from './api-docs.ts';
import { registerCatalogue } from './catalogue.ts';
import { registerClusters } from './clusters.ts';
import { registerCog } from './cog.ts';
import type { HttpContext } from './context.ts';
import { type FeaturesDeps, registerFeatures } from './features.ts';
import { type OpsContext, registerOps } from './ops.ts';
import { sendProblem } from './send.ts';
import { registerSessions, type SessionsDeps } from './sessions.ts';
import { registerTiles } from './tiles.ts';
import { registerTilesets } from './tilesets.ts';
import { toldTarget } from './told.ts';
import { registerViewer } from './viewer.ts';
import { registerZonal } from './zonal.ts';

export interface ServerOptions {
  readonly log: Logger;
  readonly accessLog: boolean;
  readonly bodyLimit: number;
  readonly keepAliveTimeout: number;
  readonly requestTimeout: number;
  readonly trustProxy: boolean;
  readonly corsOrigins: readonly string[];
  /** '' or '/base': the path under which a proxy mounts us when it does not strip it. */
  readonly basePath: string;
  /** Called once a response has left, for the HTTP metrics. */
  observe(route: string, method: string, status: number, seconds: number): void;
}

export interface Routes {
  readonly http: HttpContext;
  readonly ops: OpsContext;
  readonly features: FeaturesDeps;
  readonly sessions: SessionsDeps | null;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const;
/** Headers that a browser hides from scripts unless they are named. */
const EXPOSED = Object.keys(HEADERS).join(', ');

export function createServer(options: ServerOptions, routes: Routes): FastifyInstance {
  const app = Fastify({
    loggerInstance: options.log.child({}, { serializers: { req: toldRequest } }) as never,
    logController: new LogController({ disableRequestLogging: !options.accessLog }),
    bodyLimit: options.bodyLimit,
    keepAliveTimeout: options.keepAliveTimeout,
    requestTimeout: options.requestTimeout,
    trustProxy: options.trustProxy,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 2048 },
    rewriteUrl: request => stripBase(request.url ?? '/', options.basePath),
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  }) as unknown as FastifyInstance;
  addCors(app, options.corsOrigins);
  const noRoute = (request: FastifyRequest, reply: FastifyReply) => {
    const allowed = otherMethods(app, request);
    if (allowed.length > 0) reply.header('allow', allowed.join(', '));
    return sendProblem(request, reply, notFound(request, allowed));
  };
  // Fastify looks at the body of a request before it says that nothing is there to take it.
  app.setErrorHandler((error, request, reply) =>
    request.is404 ? noRoute(request, reply) : sendProblem(request, reply, error),
  );
  app.setNotFoundHandler((request, reply) => {
    noRoute(request, reply);
  });
  app.addHook('onResponse', async (request, reply) => {
    options.observe(request.routeOptions.url ?? 'none', request.method, reply.statusCode, reply.elapsedTime / 1000);
  });
  // First: it sees the routes that are registered after it.
  const { catalogue, publicUrl, maxSize } = routes.http;
  registerApiDocs(app, { catalogue, limits: { ...routes.features, maxSize }, publicUrl });
  registerCatalogue(app, routes.http);
  registerTiles(app, routes.http);
  registerClusters(app, routes.http, routes.features);
  registerTilesets(app, routes.http);
  registerCog(app, routes.http);
  registerFeatures(app, routes.features);
  registerZonal(app, routes.features);
  if (routes.sessions) registerSessions(app, routes.sessions.sessions, routes.sessions);
  registerOps(app, routes.ops);
  registerViewer(app, {});
  return app;
}

/** What the access log has of a request: Fastify's own, less what must not be told. */
function toldRequest(request: FastifyRequest): Record<string, unknown> {
  const { method, url, host, ip, socket } = request;
  return { method, url: toldTarget(url), host, remoteAddress: ip, remotePort: socket?.remotePort };
}

/** CORS on every status, since a browser otherwise hides even the reason of an error. */
function addCors(app: FastifyInstance, origins: readonly string[]): void {
  const any = origins.includes('*');
  app.addHook('onRequest', (request, reply, done) => {
    const origin = request.headers.origin;
    if (any) reply.header('access-control-allow-origin', '*');
    else if (origin !== undefined && origins.includes(origin)) reply.header('access-control-allow-origin', origin);
    reply.header('access-control-expose-headers', EXPOSED);
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      reply
        .code(204)
        .header('access-control-allow-methods', `${METHODS.join(', ')}, OPTIONS`)
        .header('access-control-allow-headers', 'authorization, content-type, if-none-match')
        .header('access-control-max-age', '86400')
        .send();
      return;
    }
    done();
  });
  if (any) return;
  // Beside what the answer itself varies with, and for those without an origin too: a shared cache would hand their answer to others.
  app.addHook('onSend', (_request, reply, payload, done) => {
    const vary = reply.getHeader('vary');
    reply.header('vary', vary === undefined ? 'origin' : `${vary}, origin`);
    done(null, payload);
  });
}

/** A path that another method would serve is 405, not 404. */
function notFound(request: FastifyRequest, allowed: readonly string[]): Error {
  const path = request.url.split('?')[0];
  if (allowed.length > 0)
    return problem('method-not-allowed', `${request.method} ${path}: allowed are ${allowed.join(', ')}`);
  return problem('not-found', `${request.method} ${path}: there is no such resource`);
}

function otherMethods(app: FastifyInstance, request: FastifyRequest): string[] {
  const url = request.url.split('?')[0];
  return METHODS.filter(method => method !== request.method && app.findRoute({ method, url }) !== null);
}

function stripBase(url: string, base: string): string {
  if (base === '' || !url.startsWith(base)) return url;
  const rest = url.slice(base.length);
  return rest === ''
    ? '/'
    : rest.startsWith('/') || rest.startsWith('?')
      ? rest.startsWith('?')
        ? `/${rest}`
        : rest
      : url;
}
