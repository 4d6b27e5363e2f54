/** Where the pixels are: the affine transform as GDAL derives it from the GeoTIFF tags. */
import type { BBox } from '../../tile.ts';
import type { Directory } from './ifd.ts';
import type { Findings } from './reasons.ts';
import { TAG } from './tags.ts';

export type Transform = readonly [number, number, number, number, number, number];

/** What a file without a place has for a transform. */
export const IDENTITY: Transform = [0, 1, 0, 0, 0, 1];

/** The transform to pixel corners; the identity, with a reason, where the file has none. */
export function transformOf(directory: Directory, pixelIsPoint: boolean, findings: Findings): Transform {
  const transform = declared(directory);
  if (!transform) {
    missing(directory, findings);
    return IDENTITY;
  }
  const [x0, a, b, y0, d, e] = transform;
  if (!transform.every(Number.isFinite) || a * e - b * d === 0) {
    findings.reason('tiff-no-georeference', `the transform ${transform.join(', ')} cannot be inverted`);
    return IDENTITY;
  }
  if (!pixelIsPoint) return transform;
  // The tags name the centre of the first pixel; the transform names its corner.
  return [x0 - (a + b) / 2, a, b, y0 - (d + e) / 2, d, e];
}

function declared(directory: Directory): Transform | null {
  const scale = directory.numbers.get(TAG.ModelPixelScale);
  const tie = directory.numbers.get(TAG.ModelTiepoint);
  const matrix = directory.numbers.get(TAG.ModelTransformation);
  if (scale && scale.length >= 2 && scale[0] !== 0 && scale[1] !== 0 && tie && tie.length >= 6) {
    // GDAL takes a negative ScaleY for a mistake: north is up.
    const dx = scale[0];
    const dy = -Math.abs(scale[1]);
    return [tie[3] - tie[0] * dx, dx, 0, tie[4] - tie[1] * dy, 0, dy];
  }
  if (matrix?.length === 16) return [matrix[3], matrix[0], matrix[1], matrix[7], matrix[4], matrix[5]];
  return null;
}

function missing(directory: Directory, findings: Findings): void {
  const points = Math.floor((directory.numbers.get(TAG.ModelTiepoint)?.length ?? 0) / 6);
  if (points > 0) findings.reason('tiff-gcp-only', `${points} ground control points and no transform`);
  else if (directory.present.has(TAG.RpcCoefficient)) findings.reason('tiff-rpc-only', 'only RPC coefficients');
  else findings.reason('tiff-no-georeference', 'no ModelPixelScale with ModelTiepoint and no ModelTransformation');
}

/** The box around the four corners. */
export function boundsOf(t: Transform, width: number, height: number): BBox {
  const xs = [0, width].flatMap(col => [0, height].map(row => t[0] + col * t[1] + row * t[2]));
  const ys = [0, width].flatMap(col => [0, height].map(row => t[3] + col * t[4] + row * t[5]));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
