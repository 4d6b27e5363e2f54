/**
 * The header of a FlatGeobuf file. flatgeobuf's accessors trust every offset, so the whole header is walked and checked
 * first; what they then read lies inside it.
 */
import { ByteBuffer } from 'flatbuffers';
import { Header } from 'flatgeobuf/lib/mjs/flat-geobuf/header.js';
import { Problem } from '../../errors.ts';
import type { Bytes } from '../../io/bytes.ts';
import type { BBox } from '../../tile.ts';
import type { Column } from '../types.ts';
import { COLUMN_TYPES, field, follow, GEOMETRY_KINDS, spend, vector, type Walked } from './layout.ts';
import { refusal } from './reasons.ts';

/** As GDAL: a longer header is taken for a broken one. */
export const HEADER_BYTES_MAX = 10 * 1024 * 1024;
const VERSION = 3;

export interface FgbHeader {
  readonly geometryType: number;
  readonly hasZ: boolean;
  readonly hasM: boolean;
  readonly columns: readonly Column[];
  /** 0 also where the writer did not know. */
  readonly count: number;
  readonly nodeSize: number;
  readonly envelope: BBox | null;
  /** Texts to try in turn with crs.ts: authority code, then WKT. */
  readonly crs: readonly string[];
  readonly title: string | null;
  readonly description: string | null;
  /** Bytes before the index (or the features). */
  readonly length: number;
}

export async function readHeader(bytes: Bytes, signal?: AbortSignal): Promise<FgbHeader> {
  const { href, size } = bytes.ref;
  if (size < 12) throw refusal('fgb-bad-magic', `${href} has ${size} bytes: no FlatGeobuf file`);
  const start = await bytes.read(0, 12, signal);
  const view = new DataView(start.buffer, start.byteOffset, 12);
  if (view.getUint32(0) >>> 8 !== 0x666762 || view.getUint32(4) >>> 8 !== 0x666762) {
    throw refusal('fgb-bad-magic', `${href} does not begin with the magic bytes of FlatGeobuf`);
  }
  if (start[3] !== VERSION)
    throw refusal('fgb-version', `${href} is FlatGeobuf version ${start[3]}; only version ${VERSION} can be read`);
  const length = view.getUint32(8, true);
  if (length < 8 || length > HEADER_BYTES_MAX)
    throw refusal('fgb-header-corrupt', `${href} claims a header of ${length} bytes`);
  if (12 + length > size) throw refusal('fgb-truncated', `${href} ends within its header of ${length} bytes`);
  const raw = await bytes.read(8, 4 + length, signal);
  try {
    checkHeader(new DataView(raw.buffer, raw.byteOffset, raw.byteLength));
    return parseHeader(raw, 12 + length);
  } catch (error) {
    if (error instanceof Problem && error.code !== 'corrupt-data') throw error;
    throw refusal('fgb-header-corrupt', `${href} has a broken header: ${(error as Error).message}`);
  }
}

/** What a slot of a table holds: bytes of a scalar, a vector of such, a string, a table, a vector of tables. */
type Slot = number | { readonly vector: number } | 'string' | { readonly table: Spec } | { readonly tables: Spec };
type Spec = Readonly<Record<number, Slot>>;

const crsSpec: Spec = { 4: 'string', 6: 4, 8: 'string', 10: 'string', 12: 'string', 14: 'string' };
const columnSpec: Spec = {
  4: 'string',
  6: 1,
  8: 'string',
  10: 'string',
  12: 4,
  14: 4,
  16: 4,
  18: 1,
  20: 1,
  22: 1,
  24: 'string',
};
const headerSpec: Spec = {
  4: 'string',
  6: { vector: 8 },
  8: 1,
  10: 1,
  12: 1,
  14: 1,
  16: 1,
  18: { tables: columnSpec },
  20: 8,
  22: 2,
  24: { table: crsSpec },
  26: 'string',
  28: 'string',
  30: 'string',
};

/** Strings may be shared (CreateSharedString): so often a header may be walked over. */
const SHARED = 4;

function checkHeader(view: DataView): void {
  checkTable(view, follow(view, 4, 0, view.byteLength), headerSpec, { left: view.byteLength * SHARED });
}

function checkTable(view: DataView, table: number, spec: Spec, walked: Walked): void {
  const end = view.byteLength;
  for (const [key, slot] of Object.entries(spec)) {
    const at = field(view, table, Number(key), 0, end);
    if (at === 0) continue;
    if (typeof slot === 'number') {
      if (at + slot > end) throw new RangeError(`field ${key} runs past the header`);
    } else if (slot === 'string') {
      spend(walked, view.getUint32(vector(view, table, Number(key), 1, 0, end), true));
    } else if ('vector' in slot) {
      vector(view, table, Number(key), slot.vector, 0, end);
    } else if ('table' in slot) {
      checkTable(view, follow(view, at, 0, end), slot.table, walked);
    } else {
      const found = vector(view, table, Number(key), 4, 0, end);
      const n = view.getUint32(found, true);
      spend(walked, n * 8);
      for (let i = 0; i < n; i++) checkTable(view, follow(view, found + 4 + i * 4, 0, end), slot.tables, walked);
    }
  }
}

function parseHeader(raw: Uint8Array, length: number): FgbHeader {
  const header = Header.getSizePrefixedRootAsHeader(new ByteBuffer(raw));
  const geometryType = header.geometryType();
  if (geometryType >= GEOMETRY_KINDS.length) throw new RangeError(`geometry type ${geometryType} does not exist`);
  const count = Number(header.featuresCount());
  if (!Number.isSafeInteger(count)) throw new RangeError(`it claims ${header.featuresCount()} features`);
  return {
    geometryType,
    hasZ: header.hasZ(),
    hasM: header.hasM(),
    columns: parseColumns(header),
    count,
    nodeSize: header.indexNodeSize(),
    envelope: parseEnvelope(header),
    crs: parseCrs(header),
    title: header.title() || null,
    description: header.description() || null,
    length,
  };
}

function parseColumns(header: Header): Column[] {
  const columns: Column[] = [];
  for (let i = 0; i < header.columnsLength(); i++) {
    const column = header.columns(i);
    const name = column?.name();
    const type = column ? COLUMN_TYPES[column.type()] : undefined;
    if (!column || name == null || !type) throw new RangeError(`column ${i} has no name or type ${column?.type()}`);
    columns.push({ name, type, title: column.title() || null, description: column.description() || null });
  }
  return columns;
}

function parseEnvelope(header: Header): BBox | null {
  if (header.envelopeLength() < 4) return null;
  // With Z some writers have 6 or 8 numbers: minima first, then maxima.
  const half = header.envelopeLength() >> 1;
  const box: BBox = [
    header.envelope(0) ?? NaN,
    header.envelope(1) ?? NaN,
    header.envelope(half) ?? NaN,
    header.envelope(half + 1) ?? NaN,
  ];
  return box.every(Number.isFinite) && box[0] <= box[2] && box[1] <= box[3] ? box : null;
}

function parseCrs(header: Header): string[] {
  const crs = header.crs();
  if (!crs) return [];
  const texts: string[] = [];
  const org = crs.org() || 'EPSG';
  if (crs.code() > 0) texts.push(`${org}:${crs.code()}`);
  const codeString = crs.codeString();
  if (codeString) texts.push(codeString.includes(':') ? codeString : `${org}:${codeString}`);
  const wkt = crs.wkt();
  if (wkt) texts.push(wkt);
  return texts;
}
