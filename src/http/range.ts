/** A part of an answer (RFC 9110, 14): programs that read GeoTIFFs over HTTP, as GDAL does, ask for their directories first. */

export interface Part {
  /** First byte, and the one behind the last. */
  readonly from: number;
  readonly to: number;
}

/** Null: all of it. So it is, too, where several parts are wanted, none of them is there, or the answer is another by now (If-Range). */
export function partOf(
  headers: { readonly range?: string | undefined; readonly 'if-range'?: string | undefined },
  etag: string | undefined,
  length: number,
): Part | null {
  const { range, 'if-range': when } = headers;
  if (range === undefined || (when !== undefined && when !== etag)) return null;
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim());
  if (!match || (match[1] === '' && match[2] === '')) return null;
  // The last so many bytes.
  if (match[1] === '') return cut(Math.max(0, length - Number(match[2])), length, length);
  return cut(Number(match[1]), match[2] === '' ? length : Number(match[2]) + 1, length);
}

function cut(from: number, to: number, length: number): Part | null {
  return from < Math.min(to, length) ? { from, to: Math.min(to, length) } : null;
}
