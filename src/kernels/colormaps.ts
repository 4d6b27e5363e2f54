/** Colour ramps by name: matplotlib's, and each reversed as `name_r`. A ramp is 256 RGBA entries, opaque. */
import { inflateRawSync } from 'node:zlib';
import { NAMES, PACKED } from './colormaps-table.ts';

const BASE = NAMES.split(' ');
const DIFFERENCES = inflateRawSync(Buffer.from(PACKED, 'base64'));

/** Every name that `colormap` knows, sorted. */
export const COLORMAP_NAMES: readonly string[] = BASE.flatMap(name => [name, `${name}_r`]).sort();

/** 1024 bytes, RGBA by index; null where the name is not known. */
export function colormap(name: string): Uint8Array | null {
  const reversed = name.endsWith('_r');
  const at = BASE.indexOf(reversed ? name.slice(0, -2) : name);
  if (at < 0) return null;
  const out = new Uint8Array(1024).fill(255);
  for (let channel = 0; channel < 3; channel++) {
    let value = 0;
    for (let i = 0, p = (at * 3 + channel) * 256; i < 256; i++, p++) {
      value = (value + DIFFERENCES[p]) & 255;
      out[(reversed ? 255 - i : i) * 4 + channel] = value;
    }
  }
  return out;
}
