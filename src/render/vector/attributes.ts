/** The attributes of features as tags of one layer of a tile, and the ids that they hold. */
import { newOut, type Out } from '../../kernels/bytes-out.ts';
import { featureColumns } from '../../source/fgb/columns.ts';
import { COLUMN_TYPES, FEATURE_COLUMNS, FEATURE_PROPERTIES, field, vector } from '../../source/fgb/layout.ts';
import { AREA, DUST, POINT_COUNT, putCount, putDust, putRoot, SQRT_POINT_COUNT } from './counted.ts';
import type { FeatureFrame } from './geometry.ts';
import type { JobColumn, VectorJobLayer } from './job.ts';
import { type Dictionary, newDictionary, putTags, resetDictionary } from './properties.ts';

/** One layer after another; what it pools lives on. */
export class Attributes {
  readonly tags: Out = newOut(1024);
  dictionary: Dictionary = newDictionary();
  #layer!: VectorJobLayer;
  #found = { id: -1 };
  /** The layer's columns without those whose names dust takes. */
  #dustColumns: readonly JobColumn[] = [];

  begin(layer: VectorJobLayer): void {
    this.#layer = layer;
    resetDictionary(this.dictionary, layer.columns);
    this.#dustColumns = layer.dust === null ? [] : withoutDust(layer.columns);
  }

  /** Takes feature i, whose root table is in the frame, into `tags`; answers with its id, −1 where it has none. */
  take(frame: FeatureFrame, root: number, i: number): number {
    const { view, raw, start, end } = frame;
    const { tags, dictionary } = this;
    const layer = this.#layer;
    tags.at = 0;
    this.#found.id = -1;
    const dust = layer.dust !== null && layer.dust.counts[i] > 1 ? layer.dust : null;
    const properties = vector(view, root, FEATURE_PROPERTIES, 1, start, end);
    if (properties !== 0) {
      const from = properties + 4;
      const to = from + view.getUint32(properties, true);
      const own = field(view, root, FEATURE_COLUMNS, start, end) === 0 ? null : ownColumns(frame, root, layer);
      const idColumn = own ? own.findIndex(({ name }) => name === layer.idName) : layer.idColumn;
      const usual = own ?? layer.columns;
      const columns = dust === null ? usual : own ? withoutDust(own) : this.#dustColumns;
      putTags(view, raw, from, to, columns, idColumn, dictionary, tags, this.#found);
    }
    if (dust !== null) {
      putDust(dust.counts[i], dust.areas[i], dictionary, tags);
      if (layer.counts !== null) putRoot(dust.counts[i], dictionary, tags);
    } else if (layer.counts !== null) putCount(layer.counts[i], dictionary, tags);
    return layer.idName === null ? layer.ordinals[i] + 1 : this.#found.id;
  }

  trim(maxBytes: number): void {
    if (this.dictionary.values.bytes.length > maxBytes) this.dictionary = newDictionary();
  }
}

/** A feature may bring columns of its own, as files of mixed origin have them; null where there are none after all. */
function ownColumns(frame: FeatureFrame, root: number, { served, counts, rename }: VectorJobLayer): JobColumn[] | null {
  const columns = featureColumns(frame, root, rename ?? undefined);
  if (!columns) return null;
  const seen = new Set<string>(counts === null ? [] : [POINT_COUNT, SQRT_POINT_COUNT]);
  return columns.map(({ name, type }) => {
    const wanted = !seen.has(name) && (served === null || served.includes(name));
    seen.add(name);
    return { name, type: COLUMN_TYPES.indexOf(type), wanted, as: null };
  });
}

/** What dust says of itself takes the place of columns of those names. */
function withoutDust(columns: readonly JobColumn[]): JobColumn[] {
  const names: readonly string[] = [DUST, AREA, POINT_COUNT];
  return columns.map(column => (names.includes(column.name) ? { ...column, wanted: false } : column));
}
