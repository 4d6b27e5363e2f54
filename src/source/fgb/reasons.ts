/** Why a FlatGeobuf file is refused, and the command that mends it. Codes are stable: clients and tests match on them. */
import { type Problem, problem } from '../../errors.ts';
import type { Reason } from '../types.ts';

export type FgbReason =
  | 'fgb-bad-magic'
  | 'fgb-version'
  | 'fgb-truncated'
  | 'fgb-header-corrupt'
  | 'fgb-index-corrupt'
  | 'fgb-no-index'
  | 'fgb-no-crs'
  | 'fgb-crs-unsupported'
  | 'fgb-outside-crs'
  | 'fgb-geometry-type'
  | 'fgb-feature-corrupt';

const REWRITE = 'ogr2ogr -f FlatGeobuf -lco SPATIAL_INDEX=YES out.fgb in.fgb';

const remedies: Readonly<Record<FgbReason, string | undefined>> = {
  'fgb-bad-magic': 'ogr2ogr -f FlatGeobuf -lco SPATIAL_INDEX=YES out.fgb in.<format>',
  'fgb-version': 'ogr2ogr -f FlatGeobuf -lco SPATIAL_INDEX=YES out.fgb <the data it was made from>',
  'fgb-truncated': 'copy the file again from where it came',
  'fgb-header-corrupt': REWRITE,
  'fgb-index-corrupt': REWRITE,
  'fgb-no-index': REWRITE,
  'fgb-no-crs': 'ogr2ogr -f FlatGeobuf -lco SPATIAL_INDEX=YES -a_srs EPSG:<code> out.fgb in.fgb',
  'fgb-crs-unsupported': 'ogr2ogr -f FlatGeobuf -lco SPATIAL_INDEX=YES -t_srs EPSG:4326 out.fgb in.fgb',
  'fgb-outside-crs': 'ogr2ogr -f FlatGeobuf -lco SPATIAL_INDEX=YES -a_srs EPSG:<code> out.fgb in.fgb',
  'fgb-geometry-type': 'ogr2ogr -f FlatGeobuf -lco SPATIAL_INDEX=YES -nlt CONVERT_TO_LINEAR out.fgb in.fgb',
  'fgb-feature-corrupt': REWRITE,
};

export function reason(code: FgbReason, detail: string): Reason {
  const remedy = remedies[code];
  return remedy ? { code, detail, remedy } : { code, detail };
}

/** A file that cannot be opened at all. `extra.reasons` is what a refused layer lists. */
export function refusal(code: FgbReason, detail: string): Problem {
  const why = reason(code, detail);
  return problem('layer-not-servable', detail, { reason: code, remedy: why.remedy, reasons: [why] });
}
