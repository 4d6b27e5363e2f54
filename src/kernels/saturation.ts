/**
 * Saturation as chroma: sRGB to CIE L*a*b* (D65), a* and b* times a factor, and back. The hue is the angle of a* and b*, so
 * it stays. Constants are those of IEC 61966-2-1 and CIE 15.
 */

const WHITE_X = 0.95047;
const WHITE_Z = 1.08883;
const DELTA = 6 / 29;
const SLOPE = 3 * DELTA * DELTA;
const OFFSET = 4 / 29;

/** Linear light of each of the 256 bytes. */
const LINEAR = Float64Array.from({ length: 256 }, (_, i) => {
  const v = i / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
});

function root(t: number): number {
  return t > DELTA ** 3 ? Math.cbrt(t) : t / SLOPE + OFFSET;
}

function cube(t: number): number {
  return t > DELTA ? t ** 3 : SLOPE * (t - OFFSET);
}

/** Cut off, as rio-color's scaling to bytes does. */
function byteOf(linear: number): number {
  const v = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return v > 0 ? Math.min(255, v * 255) : 0;
}

/** In place: the first three of `bands` interleaved bytes are red, green and blue. */
export function saturate(pixels: Uint8Array, bands: number, proportion: number): void {
  for (let i = 0; i + 2 < pixels.length; i += bands) {
    const r = LINEAR[pixels[i] as number] as number;
    const g = LINEAR[pixels[i + 1] as number] as number;
    const b = LINEAR[pixels[i + 2] as number] as number;
    const fx = root((r * 0.4124564 + g * 0.3575761 + b * 0.1804375) / WHITE_X);
    const fy = root(r * 0.2126729 + g * 0.7151522 + b * 0.072175);
    const fz = root((r * 0.0193339 + g * 0.119192 + b * 0.9503041) / WHITE_Z);
    // a* = 500 (fx − fy) and b* = 200 (fy − fz): the factors cancel on the way back.
    const x = cube(fy + (fx - fy) * proportion) * WHITE_X;
    const y = cube(fy);
    const z = cube(fy - (fy - fz) * proportion) * WHITE_Z;
    pixels[i] = byteOf(x * 3.2404542 - y * 1.5371385 - z * 0.4985314);
    pixels[i + 1] = byteOf(-x * 0.969266 + y * 1.8760108 + z * 0.041556);
    pixels[i + 2] = byteOf(x * 0.0556434 - y * 0.2040259 + z * 1.0572252);
  }
}
