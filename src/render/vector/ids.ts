/** Feature ids out of an attribute. */
import { COLUMN_TYPES } from '../../source/fgb/layout.ts';

const [BYTE, UBYTE, _BOOL, SHORT, USHORT, INT, UINT, LONG, ULONG, FLOAT, DOUBLE] = COLUMN_TYPES.keys();

/** −1 where the value cannot be an id. */
export function idOf(view: DataView, p: number, type: number): number {
  const value = integerAt(view, p, type);
  return value >= 0 && Number.isSafeInteger(value) ? value : -1;
}

function integerAt(view: DataView, p: number, type: number): number {
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
    case LONG:
      return Number(view.getBigInt64(p, true));
    case ULONG:
      return Number(view.getBigUint64(p, true));
    case FLOAT:
      return view.getFloat32(p, true);
    case DOUBLE:
      return view.getFloat64(p, true);
    default:
      return -1;
  }
}
