/** CRSs by their URIs in query parameters. */
import { type Crs, crsUri, resolveCrs } from '../crs/index.ts';
import { problem } from '../errors.ts';
import type { VectorLayer } from '../layers/types.ts';
import { clip } from './params.ts';

export function namedCrs(name: string, given: string, layer: VectorLayer): Crs {
  const allowed = crsUris(layer);
  if (!allowed.includes(given.replace('https:', 'http:')))
    throw problem('bad-parameter', `${name}: "${clip(given)}" is none of ${allowed.join(', ')}`);
  return resolveCrs(given);
}

/** What crs and bbox-crs take: the two everyday systems in both orders, and the layer's own. */
export function crsUris({ source }: VectorLayer): string[] {
  const uris = [
    'http://www.opengis.net/def/crs/OGC/1.3/CRS84',
    'http://www.opengis.net/def/crs/EPSG/0/4326',
    'http://www.opengis.net/def/crs/EPSG/0/3857',
  ];
  const own = source.crs === null ? null : crsUri(resolveCrs(source.crs));
  return own === null || uris.includes(own) ? uris : [...uris, own];
}
