/**
 * Headers and directories, believed only as far as they agree with the file: every offset lies inside it, every count is
 * bounded before anything is allocated, a chain that comes back to itself is cut. Nothing here reads pixels or block tables.
 *
 *   header ─► IFD 0 ─► IFD 1 ─► … ─► 0        one read of HEAD_BYTES usually holds all of them (COG puts them first)
 */
import type { Bytes } from '../../io/bytes.ts';
import { freeArray } from '../../memory/segments.ts';
import { type Findings, refusal } from './reasons.ts';
import { REAL_TAGS, REAL_TYPES, RULES, TYPES } from './tags.ts';

const HEAD_BYTES = 65536;
export const IFDS_MAX = 64;
/** Real directories have some 20 entries. */
const ENTRIES_MAX = 1024;

/** The head of a file in memory while it is opened, the rest read as asked. */
export interface TiffReader {
  readonly bytes: Bytes;
  readonly littleEndian: boolean;
  readonly big: boolean;
  readonly firstIfd: number;
  /** Exactly `length` bytes; refuses what lies outside the file. */
  at(offset: number, length: number): Promise<DataView>;
  /** Once all is read that a file is judged by: its head goes now, not at some collection. What is asked for later is read again. */
  forgetHead(): void;
}

/** Where a tag's values are. Tables stay like this until a block is asked for. */
export interface TagPlace {
  readonly type: number;
  readonly count: number;
  readonly offset: number;
}

export interface Directory {
  readonly index: number;
  readonly numbers: ReadonlyMap<number, readonly number[]>;
  readonly texts: ReadonlyMap<number, string>;
  readonly tables: ReadonlyMap<number, TagPlace>;
  readonly present: ReadonlySet<number>;
}

/** The only value of a tag, or the fallback. */
export function one(directory: Directory, tag: number, fallback: number): number {
  return directory.numbers.get(tag)?.[0] ?? fallback;
}

export async function openTiff(bytes: Bytes): Promise<TiffReader> {
  const { size, href } = bytes.ref;
  let head = await bytes.read(0, Math.min(HEAD_BYTES, size));
  const headView = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const { littleEndian, big } = magicOf(headView, href);
  const at = async (offset: number, length: number): Promise<DataView> => {
    if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
      throw refusal('tiff-truncated', `bytes ${offset}+${length} lie outside the ${size} bytes of the file`, href);
    }
    if (offset + length <= head.length) return new DataView(head.buffer, head.byteOffset + offset, length);
    const read = await bytes.read(offset, length);
    return new DataView(read.buffer, read.byteOffset, read.byteLength);
  };
  const first = await at(big ? 8 : 4, big ? 8 : 4);
  const firstIfd = big ? Number(first.getBigUint64(0, littleEndian)) : first.getUint32(0, littleEndian);
  const forgetHead = () => {
    freeArray(head);
    head = new Uint8Array(0);
  };
  return { bytes, littleEndian, big, firstIfd, at, forgetHead };
}

function magicOf(head: DataView, href: string): { littleEndian: boolean; big: boolean } {
  const order = head.byteLength >= 8 ? head.getUint16(0) : 0;
  const littleEndian = order === 0x4949;
  const version = littleEndian || order === 0x4d4d ? head.getUint16(2, littleEndian) : 0;
  if (version === 42) return { littleEndian, big: false };
  if (version === 43 && head.getUint16(4, littleEndian) === 8) return { littleEndian, big: true };
  const shown = Array.from({ length: Math.min(8, head.byteLength) }, (_, i) => head.getUint8(i));
  const hex = shown.map(byte => byte.toString(16).padStart(2, '0')).join(' ');
  throw refusal('tiff-not-a-tiff', `the file begins with ${hex || 'nothing'}, which is no TIFF`, href);
}

/** All directories of the main chain, in order. The first must be good; a loop or a long chain is cut with a note. */
export async function readDirectories(tiff: TiffReader, findings: Findings): Promise<Directory[]> {
  const directories: Directory[] = [];
  const visited = new Set<number>();
  let next = tiff.firstIfd;
  while (next !== 0) {
    if (visited.has(next)) {
      findings.note(
        'tiff-ifd-loop',
        `directory ${directories.length} points back to byte ${next}; the chain is cut there`,
      );
      break;
    }
    if (directories.length === IFDS_MAX) {
      findings.note('tiff-ifd-too-many', `only the first ${IFDS_MAX} directories are looked at`);
      break;
    }
    visited.add(next);
    const { directory, following } = await readDirectory(tiff, next, directories.length, findings);
    directories.push(directory);
    next = following;
  }
  if (directories.length === 0) throw refusal('tiff-empty', 'the file has no image directory', tiff.bytes.ref.href);
  return directories;
}

async function readDirectory(
  tiff: TiffReader,
  offset: number,
  index: number,
  findings: Findings,
): Promise<{ directory: Directory; following: number }> {
  const { big, littleEndian: le } = tiff;
  const countView = await tiff.at(offset, big ? 8 : 2);
  const entries = big ? Number(countView.getBigUint64(0, le)) : countView.getUint16(0, le);
  if (entries === 0 || entries > ENTRIES_MAX) {
    throw refusal(
      'tiff-ifd-invalid',
      `directory ${index} at byte ${offset} has ${entries} entries`,
      tiff.bytes.ref.href,
    );
  }
  const entryBytes = big ? 20 : 12;
  const start = offset + (big ? 8 : 2);
  const view = await tiff.at(start, entries * entryBytes + (big ? 8 : 4));
  const parts = {
    index,
    numbers: new Map<number, readonly number[]>(),
    texts: new Map<number, string>(),
    tables: new Map<number, TagPlace>(),
    present: new Set<number>(),
  };
  for (let i = 0; i < entries; i++) {
    const at = i * entryBytes;
    const tag = view.getUint16(at, le);
    // The first of two equal tags counts, as in libtiff.
    if (!RULES[tag] || parts.present.has(tag)) continue;
    const place = placeOf(view, at, start, tiff);
    if (place) await take(tiff, tag, place, parts, findings);
  }
  const end = entries * entryBytes;
  return { directory: parts, following: big ? Number(view.getBigUint64(end, le)) : view.getUint32(end, le) };
}

/** Null for a type that TIFF does not have: such a tag is skipped, as libtiff does. */
function placeOf(view: DataView, at: number, start: number, { big, littleEndian: le }: TiffReader): TagPlace | null {
  const type = view.getUint16(at + 2, le);
  if (!TYPES[type]) return null;
  const count = big ? Number(view.getBigUint64(at + 4, le)) : view.getUint32(at + 4, le);
  const valueAt = at + (big ? 12 : 8);
  const inline = count * TYPES[type].size <= (big ? 8 : 4);
  const offset = inline ? start + valueAt : big ? Number(view.getBigUint64(valueAt, le)) : view.getUint32(valueAt, le);
  return { type, count, offset };
}

async function take(
  tiff: TiffReader,
  tag: number,
  place: TagPlace,
  into: {
    index: number;
    numbers: Map<number, readonly number[]>;
    texts: Map<number, string>;
    tables: Map<number, TagPlace>;
    present: Set<number>;
  },
  findings: Findings,
): Promise<void> {
  const rule = RULES[tag];
  into.present.add(tag);
  if (rule.kind === 'presence') return;
  const { size, href } = tiff.bytes.ref;
  const bytes = place.count * TYPES[place.type].size;
  const whole = REAL_TAGS.has(tag) || !REAL_TYPES.has(place.type);
  const believable = whole && place.count >= 1 && place.count <= rule.max && place.offset + bytes <= size;
  if (!believable) {
    const kind = whole ? '' : ' and fractions';
    const detail = `${rule.name} of directory ${into.index} claims ${place.count} values${kind} at byte ${place.offset}`;
    if (rule.essential) throw refusal('tiff-tag-invalid', detail, href);
    into.present.delete(tag);
    findings.note('tiff-metadata-ignored', `${detail}; it is ignored`);
  } else if (rule.kind === 'table') {
    into.tables.set(tag, place);
  } else if (rule.kind === 'text') {
    into.texts.set(tag, textOf(await tiff.at(place.offset, bytes)));
  } else {
    into.numbers.set(tag, numbersOf(await tiff.at(place.offset, bytes), place, tiff.littleEndian));
  }
}

export function numbersOf(view: DataView, { type, count }: TagPlace, little: boolean): number[] {
  const { size, read } = TYPES[type];
  return Array.from({ length: count }, (_, i) => read(view, i * size, little));
}

function textOf(view: DataView): string {
  const text = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return text.replace(/\0[\s\S]*$/, '');
}
