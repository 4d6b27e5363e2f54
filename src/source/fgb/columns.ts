/** Columns that a feature brings itself, and texts. */
import type { Column } from '../types.ts';
import * as at from './layout.ts';

/** The frame of a feature: its bytes are start … end − 1. */
export interface Bytes {
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
}

export function text(view: DataView, from: number, length: number): string {
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + from, length).toString('utf8');
}

/** A feature may bring columns of its own (heterogeneous files); null where it does not. */
export function featureColumns(
  { view, start, end }: Bytes,
  root: number,
  rename: Readonly<Record<string, string>> = {},
): Column[] | null {
  const walked = { left: end - start };
  const found = at.vector(view, root, at.FEATURE_COLUMNS, 4, start, end);
  const n = found ? view.getUint32(found, true) : 0;
  if (n === 0) return null;
  return Array.from({ length: n }, (_, i) => {
    const table = at.follow(view, found + 4 + i * 4, start, end);
    const name = at.vector(view, table, at.COLUMN_NAME, 1, start, end);
    const type = at.field(view, table, at.COLUMN_TYPE, start, end);
    const kind = at.COLUMN_TYPES[type ? view.getUint8(type) : 0];
    at.spend(walked, 8 + (name ? view.getUint32(name, true) : 0));
    if (!name || !kind) throw at.corrupt(`column ${i} of the feature has no name or no known type`);
    const own = text(view, name + 4, view.getUint32(name, true));
    return { name: Object.hasOwn(rename, own) ? rename[own] : own, type: kind, title: null, description: null };
  });
}
