/** /cog/map.html: a raster alone on a map, with the viewer's own files. Its query is what the tiles carry. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '../errors.ts';
import { WEB_MERCATOR_QUAD } from '../tile.ts';
import type { HttpContext } from './context.ts';
import { clip, queryOf } from './params.ts';
import { rasterOf } from './raster-layer.ts';
import { tileSizeParams } from './raster-params.ts';
import { judgeQuery } from './tiles.ts';
import { viewerVersion } from './viewer.ts';

const CSP =
  "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self'; worker-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'";

export function registerCogMap(app: FastifyInstance, context: HttpContext): void {
  const version = viewerVersion();
  const page = async (request: FastifyRequest, reply: FastifyReply) => {
    const { tms = WEB_MERCATOR_QUAD.id } = request.params as { tms?: string };
    if (context.grids.get(tms).id !== WEB_MERCATOR_QUAD.id)
      throw problem(
        'unprocessable',
        `map.html draws ${WEB_MERCATOR_QUAD.id}; tiles in ${clip(tms)} are for other clients`,
      );
    const layer = await rasterOf(context, request, reply);
    judgeQuery(context, [layer], queryOf(request));
    const base = context.publicUrl(request);
    const query = request.url.includes('?') ? request.url.slice(request.url.indexOf('?')) : '';
    const side = tileSizeParams(queryOf(request)).tilesize ?? 256;
    reply.header('cache-control', 'public, max-age=60').header('content-security-policy', CSP);
    return reply
      .header('x-content-type-options', 'nosniff')
      .type('text/html; charset=utf-8')
      .send(html(layer.title, `${base}/viewer/${version}`, `${base}/cog/tilejson.json${query}`, side));
  };
  app.get('/cog/map.html', page);
  app.get('/cog/:tms/map.html', page);
}

function html(title: string, files: string, tileJson: string, side: number): string {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${escape(title)}</title>
  <link rel="icon" type="image/svg+xml" href="${escape(files)}/mark.svg">
  <link rel="stylesheet" href="${escape(files)}/maplibre-gl.css">
  <link rel="stylesheet" href="${escape(files)}/viewer.css">
  <script type="module" src="${escape(files)}/raster-map.js"></script>
</head>
<body>
  <main id="map" data-tilejson="${escape(tileJson)}" data-tilesize="${side}" aria-label="${escape(title)}"></main>
  <noscript>The map needs JavaScript.</noscript>
</body>
</html>
`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
