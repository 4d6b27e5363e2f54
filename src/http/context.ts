/** What routes get from app.ts, by parameter: nothing in http/ reaches for anything else. */
import type { FastifyRequest } from 'fastify';
import type { Grids } from '../grids/types.ts';
import type { FilterLimits } from '../kernels/cql2/ast.ts';
import type { Remotes } from '../layers/remote-types.ts';
import type { Catalogue } from '../layers/types.ts';
import type { TileOperations } from '../operations.ts';
import type { Encoding } from '../plan.ts';
import type { Reply } from '../reply.ts';
import type { Ask, Operation } from '../serve.ts';

export interface HttpContext {
  readonly catalogue: Catalogue;
  /** Rasters of other servers, by their URL. */
  readonly remotes: Pick<Remotes, 'lease'>;
  /** The one way to data: serve.ts bound to its rooms. */
  serve<P>(ask: Ask<P>): Promise<Reply>;
  /** Most pixels a side of a picture, raster.maxSize. */
  readonly maxSize: number | null;
  readonly encodings: readonly Encoding[];
  /** Limits of filters. */
  readonly filter: FilterLimits;
  /** Where clients reach this server, no trailing slash: --public-url, or what the request says. */
  publicUrl(request: FastifyRequest): string;
  readonly grids: Grids;
  readonly tiles: TileOperations;
  /** Session tiles, where sessions are on. */
  readonly sessionTile: Operation<{
    readonly tms: string;
    readonly z: number;
    readonly x: number;
    readonly y: number;
  }> | null;
  /** Attributes of a vector layer for TileJSON. */
  fieldsOf(layerId: string): Readonly<Record<string, string>>;
}

/** Whose share of the memory a request counts against. */
export function clientOf(request: FastifyRequest): string {
  return request.ip;
}
