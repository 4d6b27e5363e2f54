/**
 * A tile matrix set out of OGC's JSON (Two Dimensional Tile Matrix Set 2.0, 17-083r4). What cannot be served right is refused
 * with `unprocessable` and a code of its own: tms-invalid, tms-version, tms-variable-widths, tms-scale, tms-crs.
 */
import { createHash } from 'node:crypto';
import { northFirst } from '../crs/axes.ts';
import { type Crs, resolveCrs } from '../crs/index.ts';
import { Problem, problem } from '../errors.ts';
import { MERCATOR_HALF, type TileMatrix, type TileMatrixSet } from '../tile.ts';
import { isNorthFirst } from './axes.ts';
import { PIXEL_METRES, zoomOf } from './scale.ts';

type Tree = Readonly<Record<string, unknown>>;

const MATRICES_MAX = 64;
/** Pixels a side of a tile; a raster tile of so many is priced like a window of that size. */
const TILE_SIDE_MAX = 4096;
const MATRIX_SIDE_MAX = 2 ** 31 - 1;
const MATRIX_ID = /^[A-Za-z0-9_.:-]{1,64}$/;
/** What scale denominator and cell size may differ by: some take another radius of the earth, OGC's own set for Canada 96 dpi. */
const SCALE_ERROR_MAX = 0.1;

/** `id` is the one it is configured under, whatever the document says of itself. */
export function parseTileMatrixSet(id: string, document: unknown): TileMatrixSet {
  const tree = objectOf(document, 'the document');
  if ('supportedCRS' in tree || 'tileMatrix' in tree)
    throw refusal('tms-version', 'it is of version 1.0 (supportedCRS, tileMatrix); 2.0 has crs and tileMatrices');
  const crs = crsOf(tree['crs']);
  const axes = axesOf(tree['orderedAxes'], crs);
  const list = tree['tileMatrices'];
  if (!Array.isArray(list) || list.length === 0 || list.length > MATRICES_MAX)
    throw refusal('tms-invalid', `tileMatrices must be a list of 1 to ${MATRICES_MAX}`);
  const matrices = list.map((entry, i) => matrixOf(objectOf(entry, `tileMatrices[${i}]`), i, crs, isNorthFirst(axes)));
  const twice = matrices.find(({ id: one }, i) => matrices.findIndex(other => other.id === one) !== i);
  if (twice) throw refusal('tms-invalid', `two tile matrices have the id "${twice.id}"`);
  matrices.sort((a, b) => b.resolution - a.resolution);
  const digest = createHash('sha256').update(JSON.stringify([crs.id, matrices]));
  return {
    id,
    key: `${id}#${digest.digest('base64url').slice(0, 12)}`,
    title: textOf(tree['title']) ?? id,
    crs: crs.id,
    axes,
    uri: textOf(tree['uri']),
    matrices,
    wrapsX: matrices.every(matrix => spansWorld(matrix, crs)),
  };
}

function refusal(code: string, detail: string): Problem {
  return problem('unprocessable', detail, { code });
}

function objectOf(value: unknown, where: string): Tree {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Tree;
  throw refusal('tms-invalid', `${where} is not an object`);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A URI, an object with one, or PROJJSON that names its authority's code. */
function crsOf(value: unknown): Crs {
  const { uri, wkt } = (typeof value === 'object' && value !== null ? value : { uri: value }) as Tree;
  const { authority, code } = ((wkt as Tree | undefined)?.['id'] ?? {}) as Tree;
  const name = textOf(uri) ?? (authority === undefined ? null : `${authority}:${code}`);
  if (name === null) throw refusal('tms-crs', 'crs is neither a URI nor has one, nor PROJJSON with an id');
  try {
    return resolveCrs(name);
  } catch (error) {
    if (error instanceof Problem) throw refusal('tms-crs', error.message);
    throw error;
  }
}

function axesOf(value: unknown, crs: Crs): readonly [string, string] {
  if (value === undefined) {
    const names = crs.geographic ? (['Lon', 'Lat'] as const) : (['X', 'Y'] as const);
    return northFirst(crs) ? [names[1], names[0]] : names;
  }
  if (Array.isArray(value) && value.length === 2 && value.every(axis => typeof axis === 'string'))
    return [value[0], value[1]];
  throw refusal('tms-invalid', `orderedAxes must be two names, not ${JSON.stringify(value).slice(0, 60)}`);
}

function matrixOf(tree: Tree, i: number, crs: Crs, swap: boolean): TileMatrix {
  const id = tree['id'];
  if (typeof id !== 'string' || !MATRIX_ID.test(id))
    throw refusal('tms-invalid', `tileMatrices[${i}].id must be a text of letters, digits, _ . : or -`);
  const where = `tile matrix "${id}"`;
  const widths = tree['variableMatrixWidths'];
  if (Array.isArray(widths) ? widths.length > 0 : widths !== undefined && widths !== null)
    throw refusal('tms-variable-widths', `${where} has variableMatrixWidths: rows of coalesced tiles are not served`);
  const resolution = cellSize(tree, where, crs);
  const tileWidth = whole(tree['tileWidth'], `${where}: tileWidth`, TILE_SIDE_MAX);
  const tileHeight = whole(tree['tileHeight'], `${where}: tileHeight`, TILE_SIDE_MAX);
  const matrixWidth = whole(tree['matrixWidth'], `${where}: matrixWidth`, MATRIX_SIDE_MAX);
  const matrixHeight = whole(tree['matrixHeight'], `${where}: matrixHeight`, MATRIX_SIDE_MAX);
  const corner = tree['cornerOfOrigin'] ?? 'topLeft';
  if (corner !== 'topLeft' && corner !== 'bottomLeft')
    throw refusal('tms-invalid', `${where}: cornerOfOrigin is topLeft or bottomLeft`);
  const [x, y] = pointOf(tree['pointOfOrigin'], where, swap);
  const bottomUp = corner === 'bottomLeft';
  const originY = bottomUp ? y + resolution * tileHeight * matrixHeight : y;
  const zoom = zoomOf(resolution * crs.metresPerUnit);
  return { id, zoom, resolution, originX: x, originY, tileWidth, tileHeight, matrixWidth, matrixHeight, bottomUp };
}

function cellSize(tree: Tree, where: string, crs: Crs): number {
  const size = tree['cellSize'];
  const denominator = tree['scaleDenominator'];
  if (typeof size !== 'number' || !Number.isFinite(size) || size <= 0)
    throw refusal('tms-invalid', `${where}: cellSize must be a positive number`);
  if (typeof denominator !== 'number' || !Number.isFinite(denominator))
    throw refusal('tms-invalid', `${where}: scaleDenominator must be a number`);
  const told = (denominator * PIXEL_METRES) / crs.metresPerUnit;
  if (Math.abs(told / size - 1) > SCALE_ERROR_MAX)
    throw refusal('tms-scale', `${where}: a scale of 1:${denominator} has cells of ${told}, not of ${size}`);
  return size;
}

function whole(value: unknown, what: string, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw refusal('tms-invalid', `${what} must be a whole number from 1 to ${max}`);
}

function pointOf(value: unknown, where: string, swap: boolean): readonly [number, number] {
  if (Array.isArray(value) && value.length === 2 && value.every(n => typeof n === 'number' && Number.isFinite(n)))
    return swap ? [value[1], value[0]] : [value[0], value[1]];
  throw refusal('tms-invalid', `${where}: pointOfOrigin must be two numbers, in the order of orderedAxes`);
}

/** True where the matrix is as wide as the world, from the antimeridian on. */
function spansWorld({ originX, resolution, tileWidth, matrixWidth }: TileMatrix, crs: Crs): boolean {
  const mercator = crs.id === 'EPSG:3857' || crs.id === 'EPSG:3395';
  if (!crs.geographic && !mercator) return false;
  const period = crs.geographic ? 360 : 2 * MERCATOR_HALF;
  const width = resolution * tileWidth * matrixWidth;
  return Math.abs(width / period - 1) < 1e-7 && Math.abs(originX / period + 0.5) < 1e-7;
}
