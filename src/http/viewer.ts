/**
 * The viewer's files. A fixed list, so that no path of the URL ever reaches the file system. The page asks for
 * `viewer/{version}/{file}`: that URL changes with the content, so it may be kept for a year; `viewer/{file}` is the
 * same without the promise. Relative imports between the modules inherit the version from their folder.
 *
 * Held in memory: one gzip body a file (about 0.5 MB in all, made at its first request); what a client without gzip
 * gets is streamed from the disk.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';

const JS = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const SVG = 'image/svg+xml';

const OWN_FILES: Readonly<Record<string, string>> = {
  'viewer.js': JS,
  'api.js': JS,
  'catalogue.js': JS,
  'dom.js': JS,
  'memory.js': JS,
  'panel.js': JS,
  'popup.js': JS,
  'raster-map.js': JS,
  'style.js': JS,
  'toast.js': JS,
  'viewer.css': CSS,
  'panel.css': CSS,
  'overlay.css': CSS,
  'mark.svg': SVG,
};

const MAPLIBRE_FILES: Readonly<Record<string, string>> = {
  'maplibre-gl.mjs': JS,
  'maplibre-gl-worker.mjs': JS,
  'maplibre-gl.css': CSS,
};

/** The same place from src/http and from dist/http. */
const VIEWER_DIR = new URL('../../viewer/', import.meta.url);
const YEAR_S = 31_536_000;
const gzipped = promisify(gzip);

interface Asset {
  readonly type: string;
  readonly path: string;
  readonly etag: string;
  readonly body: Buffer;
}

function maplibreFile(name: string): string {
  return fileURLToPath(import.meta.resolve(`maplibre-gl/dist/${name}`));
}

/** Type and place of a file of the lists; undefined for any other name. */
function locate(name: string): { type: string; path: string } | undefined {
  if (Object.hasOwn(OWN_FILES, name)) return { type: OWN_FILES[name]!, path: fileURLToPath(new URL(name, VIEWER_DIR)) };
  if (Object.hasOwn(MAPLIBRE_FILES, name)) return { type: MAPLIBRE_FILES[name]!, path: maplibreFile(name) };
  return undefined;
}

/** Changes with every own file and with MapLibre's version; MapLibre's big files themselves are not read for it. */
export function viewerVersion(): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(OWN_FILES)) hash.update(readFileSync(new URL(name, VIEWER_DIR)));
  hash.update(readFileSync(fileURLToPath(import.meta.resolve('maplibre-gl/package.json'))));
  return hash.digest('hex').slice(0, 12);
}

async function openAsset(name: string): Promise<Asset> {
  const found = locate(name);
  if (!found) throw problem('not-found', `the viewer has no file '${name}'`);
  const bytes = await readFile(found.path);
  // Weak: the gzip body and the plain one share it.
  const etag = `W/"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`;
  return { ...found, etag, body: await gzipped(bytes, { level: 6 }) };
}

function acceptsGzip(request: FastifyRequest): boolean {
  return /\b(gzip|\*)\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(String(request.headers['accept-encoding'] ?? ''));
}

function send(request: FastifyRequest, reply: FastifyReply, asset: Asset, immutable: boolean): FastifyReply {
  reply.header('cache-control', immutable ? `public, max-age=${YEAR_S}, immutable` : 'no-cache');
  reply.header('etag', asset.etag).header('vary', 'accept-encoding').header('x-content-type-options', 'nosniff');
  const known = String(request.headers['if-none-match'] ?? '');
  if (known.split(',').some(tag => tag.trim() === asset.etag)) return reply.code(304).send();
  reply.type(asset.type);
  if (acceptsGzip(request)) return reply.header('content-encoding', 'gzip').send(asset.body);
  return reply.send(createReadStream(asset.path));
}

/** The page for `/` of browsers. Reads files: call once at start, keep the string. */
export function viewerHtml(): string {
  const page = readFileSync(new URL('index.html', VIEWER_DIR), 'utf8');
  return page.replaceAll('"viewer/', `"viewer/${viewerVersion()}/`);
}

/** `basePath` is what stands before `/viewer/` where the server itself sees the public path: '' or '/maps'. */
export function registerViewer(app: FastifyInstance, { basePath = '' }: { basePath?: string } = {}): void {
  const base = basePath.replace(/\/+$/, '');
  const version = viewerVersion();
  const assets = new Map<string, Promise<Asset>>();

  function open(name: string): Promise<Asset> {
    let asset = assets.get(name);
    if (!asset) {
      asset = openAsset(name);
      // A failed read is not kept: the next request tries again.
      asset.catch(() => assets.delete(name));
      assets.set(name, asset);
    }
    return asset;
  }

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { name, version: asked } = request.params as { name: string; version?: string };
    return send(request, reply, await open(name), asked === version);
  }

  app.get(`${base}/viewer/:version/:name`, answer);
  app.get(`${base}/viewer/:name`, answer);
}
