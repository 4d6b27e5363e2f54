/** The same answer in another encoding: to compress it again is far cheaper than to render it again. */
import type { ByteCache } from './cache/types.ts';
import type { Identity } from './identity.ts';
import { ENCODINGS, type Encoding, type Plan } from './plan.ts';
import { planTranscode } from './render/transcode.ts';

interface Encoded {
  readonly operation: { readonly compressible: boolean };
  readonly encoding: Encoding;
}

export function otherEncoding(
  { operation, encoding }: Encoded,
  identity: Identity,
  { cache }: { readonly cache: ByteCache },
): Plan | undefined {
  if (!operation.compressible) return undefined;
  for (const from of ENCODINGS) {
    const hit = from === encoding ? undefined : cache.peek(identity.encoded(from));
    if (hit && hit.length > 0) return planTranscode(hit, encoding);
  }
  return undefined;
}
