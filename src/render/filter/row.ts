/**
 * One feature as a filter sees it: where the values of the wanted columns lie in its bytes. Nothing is decoded until it is
 * asked for, and no object is made of a feature.
 */
import { type Bytes, featureColumns, text } from '../../source/fgb/columns.ts';
import { shortest } from '../../source/fgb/feature.ts';
import {
  COLUMN_TYPES,
  corrupt,
  FEATURE_COLUMNS,
  FEATURE_GEOMETRY,
  FEATURE_PROPERTIES,
  featureEnd,
  field,
  follow,
  VALUE_BYTES,
  vector,
} from '../../source/fgb/layout.ts';
import type { ColumnType } from '../../source/types.ts';

/** A column of the file, by its place; `name` is what requests call it, null: it is not served. */
export interface FilterColumn {
  readonly name: string | null;
  /** What features with columns of their own call it. */
  readonly ownName: string;
  readonly type: ColumnType;
}

const [BYTE, UBYTE, BOOL, SHORT, USHORT, INT, UINT, LONG, ULONG, FLOAT, DOUBLE] = COLUMN_TYPES.keys();

export class Row implements Bytes {
  view: DataView = new DataView(new ArrayBuffer(0));
  start = 0;
  end = 0;
  /** Table of the geometry; 0: none. */
  geometry = 0;
  /** Rises with every feature, for what is worked out once for it. */
  serial = 0;
  readonly #columns: readonly FilterColumn[];
  /** Slot of each column of the file, −1: not wanted. */
  readonly #slots: Int32Array;
  readonly #wanted: number[] = [];
  #at = new Int32Array(0);
  #lengths = new Int32Array(0);
  #types = new Int32Array(0);

  constructor(columns: readonly FilterColumn[]) {
    this.#columns = columns;
    this.#slots = new Int32Array(columns.length).fill(-1);
  }

  /** From now on the values of this column are found. */
  want(column: number): number {
    if (this.#slots[column] >= 0) return this.#slots[column];
    const slot = this.#wanted.push(column) - 1;
    this.#slots[column] = slot;
    this.#at = new Int32Array(slot + 1);
    this.#lengths = new Int32Array(slot + 1);
    this.#types = Int32Array.from(this.#wanted, one => COLUMN_TYPES.indexOf(this.#columns[one].type));
    return slot;
  }

  /** The size-prefixed feature at `at`, of which `limit` is the end at most. Errors: corrupt-data. */
  load(view: DataView, at: number, limit: number): void {
    this.view = view;
    this.start = at;
    this.end = featureEnd(view, at, limit);
    this.serial++;
    const { start, end } = this;
    const root = follow(view, at + 4, start, end);
    const geometry = field(view, root, FEATURE_GEOMETRY, start, end);
    this.geometry = geometry === 0 ? 0 : follow(view, geometry, start, end);
    if (this.#wanted.length === 0) return;
    this.#at.fill(-1);
    const properties = vector(view, root, FEATURE_PROPERTIES, 1, start, end);
    if (properties === 0) return;
    const own = field(view, root, FEATURE_COLUMNS, start, end) === 0 ? null : featureColumns(this, root);
    const to = properties + 4 + view.getUint32(properties, true);
    if (own) this.#scan(properties + 4, to, own, this.#slotsOf(own));
    else this.#scan(properties + 4, to, this.#columns, this.#slots);
  }

  /** Columns that the feature brings itself: by their names. */
  #slotsOf(own: readonly { readonly name: string }[]): Int32Array {
    const slots = new Int32Array(own.length).fill(-1);
    this.#wanted.forEach((column, slot) => {
      const found = own.findIndex(({ name }) => name === this.#columns[column].ownName);
      if (found >= 0) slots[found] = slot;
    });
    return slots;
  }

  #scan(from: number, to: number, columns: readonly { readonly type: ColumnType }[], slots: Int32Array): void {
    const { view } = this;
    // One byte of padding behind the last value is what some writers leave.
    for (let p = from; p + 1 < to; ) {
      const index = view.getUint16(p, true);
      if (index >= columns.length) throw corrupt(`an attribute names column ${index} of ${columns.length}`);
      const type = COLUMN_TYPES.indexOf(columns[index].type);
      p += 2;
      let length = VALUE_BYTES[type];
      if (length === 0) {
        if (p + 4 > to) throw corrupt(`the value of column ${index} runs past the attributes`);
        length = view.getUint32(p, true);
        p += 4;
      }
      if (length > to - p) throw corrupt(`the value of column ${index} claims ${length} bytes where ${to - p} are`);
      const slot = slots[index];
      if (slot >= 0) {
        this.#at[slot] = p;
        this.#lengths[slot] = length;
        this.#types[slot] = type;
      }
      p += length;
    }
  }

  isNull(slot: number): boolean {
    return this.#at[slot] < 0;
  }

  /** NaN: no value. 64-bit integers beyond 2^53 are bigint. */
  number(slot: number): number | bigint {
    const p = this.#at[slot];
    return p < 0 ? Number.NaN : numberAt(this.view, p, this.#types[slot]);
  }

  /** 0 false, 1 true, 2 no value. */
  boolean(slot: number): number {
    const p = this.#at[slot];
    if (p < 0 || this.#types[slot] !== BOOL) return 2;
    return this.view.getUint8(p) === 0 ? 0 : 1;
  }

  text(slot: number): string | null {
    const p = this.#at[slot];
    return p < 0 || VALUE_BYTES[this.#types[slot]] !== 0 ? null : text(this.view, p, this.#lengths[slot]);
  }

  /** 1 where the value's bytes are these, 0 where not, 2: no value. */
  sameBytes(slot: number, bytes: Uint8Array): number {
    const p = this.#at[slot];
    if (p < 0) return 2;
    if (this.#lengths[slot] !== bytes.length) return 0;
    const { view } = this;
    for (let i = 0; i < bytes.length; i++) if (view.getUint8(p + i) !== bytes[i]) return 0;
    return 1;
  }
}

/** 2^32 × this is 2^53. */
const SAFE_HIGH = 0x200000;

function numberAt(view: DataView, p: number, type: number): number | bigint {
  switch (type) {
    case BYTE:
      return view.getInt8(p);
    case UBYTE:
      return view.getUint8(p);
    case SHORT:
      return view.getInt16(p, true);
    case USHORT:
      return view.getUint16(p, true);
    case INT:
      return view.getInt32(p, true);
    case UINT:
      return view.getUint32(p, true);
    case LONG: {
      const high = view.getInt32(p + 4, true);
      return high >= -SAFE_HIGH && high < SAFE_HIGH
        ? high * 2 ** 32 + view.getUint32(p, true)
        : view.getBigInt64(p, true);
    }
    case ULONG: {
      const high = view.getUint32(p + 4, true);
      return high < SAFE_HIGH ? high * 2 ** 32 + view.getUint32(p, true) : view.getBigUint64(p, true);
    }
    case FLOAT:
      return shortest(view.getFloat32(p, true));
    case DOUBLE:
      return view.getFloat64(p, true);
    default:
      return Number.NaN;
  }
}
