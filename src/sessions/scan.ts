/**
 * Finds where the features of a GeoJSON text are without parsing it: one pass over the bytes, a pair of offsets a
 * feature. JSON.parse of a whole FeatureCollection holds 5–8 times the text in heap at once; parsing a feature at a time
 * holds one. Syntax inside a feature is judged by JSON.parse later, syntax around the features here.
 */
import { isUtf8 } from 'node:buffer';
import { problem } from '../errors.ts';
import { jsonFault } from './json-fault.ts';

export interface GeoJsonScan {
  /** 'FeatureCollection', 'Feature' or the type of a bare geometry. */
  readonly type: string;
  /** start, end byte offsets of feature 0, 1, …; one pair for anything but a FeatureCollection. */
  readonly spans: Uint32Array;
  /** The 2008 `crs` member, which GDAL and geopandas still write. */
  readonly crs: unknown;
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

export function scanGeoJson(bytes: Uint8Array): GeoJsonScan {
  const cursor: Cursor = { bytes, at: bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0 };
  skipSpace(cursor);
  const start = cursor.at;
  if (bytes[start] !== OPEN_OBJECT) throw bad(cursor, 'a GeoJSON object');
  let type: unknown;
  let crs: unknown;
  let features: Uint32Array | null = null;
  forEachMember(cursor, key => {
    const from = cursor.at;
    if (key === 'features' && bytes[from] === OPEN_ARRAY) features = arraySpans(cursor);
    else skipValue(cursor);
    if (key === 'type') type = parseSpan(bytes, from, cursor.at, 'type');
    if (key === 'crs') crs = parseSpan(bytes, from, cursor.at, 'crs');
  });
  const end = cursor.at;
  skipSpace(cursor);
  if (cursor.at < bytes.length) throw bad(cursor, 'nothing more');
  if (typeof type !== 'string') throw problem('bad-body', 'the GeoJSON object has no "type"');
  if (type !== 'FeatureCollection') return { type, spans: Uint32Array.of(start, end), crs };
  if (!features) throw problem('bad-body', 'the FeatureCollection has no array "features"');
  return { type, spans: features, crs };
}

export function parseSpan(bytes: Uint8Array, start: number, end: number, what: string): unknown {
  const span = bytes.subarray(start, end);
  if (!isUtf8(span)) throw problem('bad-body', `${what}, from byte ${start} on, is not UTF-8`, { byte: start });
  try {
    return JSON.parse(Buffer.from(span.buffer, span.byteOffset, span.byteLength).toString());
  } catch (error) {
    const byte = start + (jsonFault(span) ?? 0);
    const found = JSON.stringify(Buffer.from(bytes.subarray(byte, byte + 24)).toString());
    const why = (error as Error).message.slice(0, 160);
    throw problem('bad-body', `${what} is not JSON at byte ${byte}, ${found}: ${why}`, { byte });
  }
}

function forEachMember(cursor: Cursor, visit: (key: string) => void): void {
  const { bytes } = cursor;
  cursor.at++;
  skipSpace(cursor);
  if (bytes[cursor.at] === CLOSE_OBJECT) {
    cursor.at++;
    return;
  }
  for (;;) {
    const from = cursor.at;
    if (bytes[from] !== QUOTE) throw bad(cursor, 'a member name');
    skipString(cursor);
    const key = parseSpan(bytes, from, cursor.at, `the member name at byte ${from}`) as string;
    skipSpace(cursor);
    if (bytes[cursor.at++] !== COLON) throw bad(cursor, '":"', -1);
    skipSpace(cursor);
    visit(key);
    skipSpace(cursor);
    const next = bytes[cursor.at++];
    if (next === CLOSE_OBJECT) return;
    if (next !== COMMA) throw bad(cursor, '"," or "}"', -1);
    skipSpace(cursor);
  }
}

function arraySpans(cursor: Cursor): Uint32Array {
  const { bytes } = cursor;
  let spans = new Uint32Array(1024);
  let n = 0;
  cursor.at++;
  skipSpace(cursor);
  if (bytes[cursor.at] === CLOSE_ARRAY) {
    cursor.at++;
    return spans.subarray(0, 0);
  }
  for (;;) {
    if (n === spans.length) {
      // Offsets that take more than the text they are of: the permit does not stand for that.
      if (n * 4 > cursor.at) throw problem('bad-body', `features[0] to [${n / 2 - 1}] are too short to be Features`);
      const larger = new Uint32Array(n * 2);
      larger.set(spans);
      spans = larger;
    }
    spans[n++] = cursor.at;
    skipValue(cursor);
    spans[n++] = cursor.at;
    skipSpace(cursor);
    const next = bytes[cursor.at++];
    if (next === CLOSE_ARRAY) return spans.slice(0, n);
    if (next !== COMMA) throw bad(cursor, `"," or "]" after features[${n / 2 - 1}]`, -1);
    skipSpace(cursor);
  }
}

/** Leaves the cursor behind the value. What is inside is only balanced, not judged. */
function skipValue(cursor: Cursor): void {
  const { bytes } = cursor;
  const start = cursor.at;
  let depth = 0;
  while (cursor.at < bytes.length) {
    const c = bytes[cursor.at];
    if (c === QUOTE) {
      skipString(cursor);
      if (depth === 0) return;
      continue;
    }
    if (c === OPEN_OBJECT || c === OPEN_ARRAY) depth++;
    else if (c === CLOSE_OBJECT || c === CLOSE_ARRAY || c === COMMA || isSpace(c)) {
      if (depth === 0) break;
      if (c === CLOSE_OBJECT || c === CLOSE_ARRAY) depth--;
      if (depth === 0) {
        cursor.at++;
        return;
      }
    }
    cursor.at++;
  }
  if (depth > 0 || cursor.at === start) throw bad(cursor, 'a value');
}

function skipString(cursor: Cursor): void {
  const { bytes } = cursor;
  for (let i = cursor.at + 1; i < bytes.length; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE) {
      cursor.at = i + 1;
      return;
    }
  }
  cursor.at = bytes.length;
  throw bad(cursor, 'the end of a string');
}

function skipSpace(cursor: Cursor): void {
  while (isSpace(cursor.bytes[cursor.at])) cursor.at++;
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}

function bad(cursor: Cursor, wanted: string, shift = 0): Error {
  const at = cursor.at + shift;
  const found =
    at >= cursor.bytes.length ? 'the text ends' : `found ${JSON.stringify(String.fromCharCode(cursor.bytes[at]))}`;
  return problem('bad-body', `not GeoJSON: ${found} at byte ${at} where ${wanted} should be`, { byte: at });
}
