/** What the GeoKeys say of the CRS: 'EPSG:n' where they name a code, else a PROJ string. */
import { resolveCrs } from '../../crs/index.ts';
import { Problem } from '../../errors.ts';
import { datumOf } from './datum.ts';
import { type GeoKeys, KEY, number, USER_DEFINED } from './geokeys.ts';
import { projected } from './projections.ts';
import type { Findings } from './reasons.ts';

/** The CRS as the operator or the file says it, tried out; null with a reason where there is none that can be served right. */
export function crsOf(keys: GeoKeys, configured: string | undefined, findings: Findings): string | null {
  if (keys.has(KEY.Vertical)) findings.note('tiff-vertical-ignored', 'heights keep their own vertical datum');
  try {
    const text = configured ?? fromKeys(keys, findings);
    if (text === null) {
      findings.reason('tiff-no-crs', 'the file names no coordinate reference system');
      return null;
    }
    const crs = resolveCrs(text);
    if (crs.note) findings.note('tiff-crs-note', crs.note);
    return text;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    findings.reason('tiff-crs-unsupported', error.message);
    return null;
  }
}

function fromKeys(keys: GeoKeys, findings: Findings): string | null {
  const model = number(keys, KEY.ModelType);
  const projectedType = number(keys, KEY.ProjectedType) ?? 0;
  const geographicType = number(keys, KEY.GeographicType) ?? 0;
  if (projectedType > 0 && projectedType !== USER_DEFINED) return `EPSG:${projectedType}`;
  if (model === 3) return `EPSG:${geographicType || 'geocentric'}`;
  const esri = esriText(keys);
  if (esri !== null) return esri;
  if (projectedType === USER_DEFINED || model === 1) return projected(keys, findings);
  if (geographicType > 0 && geographicType !== USER_DEFINED) return `EPSG:${geographicType}`;
  if (geographicType === USER_DEFINED || model === 2) {
    return `+proj=longlat ${datumOf(keys, findings)} +no_defs`;
  }
  return null;
}

/** Projections that GeoTIFF has no number for are written by GDAL, after ESRI, as WKT in a citation. */
function esriText(keys: GeoKeys): string | null {
  for (const key of [KEY.ProjectedCitation, KEY.Citation]) {
    const match = /ESRI PE String = (.+)$/.exec(String(keys.get(key) ?? ''));
    if (match) return resolveCrs(match[1]).id;
  }
  return null;
}
