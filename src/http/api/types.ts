/** What a line of the API's description is. The document, the page and the check of query parameters are made of these. */
import type { ErrorCode } from '../../errors.ts';
import type { BBox, TileCoord } from '../../tile.ts';
import type { HeaderName } from './headers.ts';

export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly required: boolean;
  readonly schema: Schema;
  readonly example?: unknown;
  readonly style?: 'form';
  readonly explode?: boolean;
}

export interface Answer {
  readonly description: string;
  readonly headers?: readonly HeaderName[];
  /** Schema by content type; null: bytes. */
  readonly content?: Readonly<Record<string, Schema | null>>;
}

export interface Body {
  readonly description: string;
  readonly required: boolean;
  readonly content: Readonly<Record<string, Schema | null>>;
  readonly example?: unknown;
}

export type Tag = 'tiles' | 'cog' | 'features' | 'sessions' | 'catalogue' | 'operations' | 'viewer';

/** One operation of the document. Several may share a route, where its last segment has more than one form. */
export interface Endpoint {
  readonly id: string;
  readonly tag: Tag;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** As Fastify has it: /tiles/:layers/:z/:x/:y */
  readonly route: string;
  /** As OpenAPI has it: /tiles/{layers}/{z}/{x}/{y}.{format} */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly body?: Body;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Codes of the error table that it may answer; each becomes a line under its status. */
  readonly problems: readonly ErrorCode[];
  /** 'bearer': a session's secret or the admin token, as the description says. */
  readonly security?: 'sessionSecret' | 'adminToken';
  /** Query parameters that are not listed are let through: probes and pages carry what they carry. */
  readonly anyQuery?: true;
  /** The page offers no link to try it, and says this instead. */
  readonly untried?: string;
}

/** What the examples are made of: layers that are there, and places where they have data. */
export interface Samples {
  /** A vector layer, or a raster where there is none of those. */
  readonly layer: string;
  readonly tile: TileCoord;
  /** In WorldCRS84Quad. */
  readonly gridTile: TileCoord;
  readonly format: 'mvt' | 'png';
  readonly vector: string;
  readonly vectorBBox: BBox;
  readonly columns: readonly string[];
  readonly raster: string;
  readonly rasterTile: TileCoord;
  readonly rasterBBox: BBox;
  readonly rasterPoint: readonly [number, number];
  /** A layer with clusters, and the one in the first cell of its first zoom. */
  readonly clustered: { readonly layer: string; readonly id: number };
}
