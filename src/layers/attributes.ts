/** An operator's choices for the attributes of a vector layer: other names, fewer of them, other forms. */
import type { Column, Reason, VectorSource, Verdict, WrittenAs } from '../source/types.ts';
import type { LayerOptions } from './types.ts';

interface Mapped {
  readonly source: VectorSource;
  readonly options: LayerOptions;
}

/** The source as the rest of the house sees it: its columns under the names that are served, and how they are written. */
export function mapAttributes(source: VectorSource, options: LayerOptions): Mapped {
  const { rename = {}, excludeProperties = [], binary } = options;
  const columns = source.columns.map(column => ({
    ...column,
    ...formOf(column, options),
    name: rename[column.name] ?? column.name,
  }));
  const reasons = [...faultsOf(source.columns, columns, options), ...faultsOfDust(source, options)];
  const hidden = columns.filter(
    ({ name, type }) => excludeProperties.includes(name) || (type === 'binary' && binary === 'omit'),
  );
  const served = (options.properties ?? columns.map(({ name }) => name)).filter(
    name => !hidden.some(column => column.name === name),
  );
  return {
    source: { ...source, columns, verdict: { ...source.verdict, ...judged(source.verdict, reasons) } },
    options: hidden.length > 0 ? { ...options, properties: served } : options,
  };
}

function judged({ reasons }: Verdict, more: readonly Reason[]): Pick<Verdict, 'servable' | 'reasons'> {
  const all = [...reasons, ...more];
  return { servable: all.length === 0, reasons: all };
}

function formOf({ type }: Column, { int64, json, binary }: LayerOptions): { readonly as?: WrittenAs } {
  if (type === 'long' || type === 'ulong')
    return int64 === 'string' ? { as: 'text' } : int64 === 'number' ? { as: 'number' } : {};
  if (type === 'json') return json === 'text' ? { as: 'text' } : {};
  return type === 'binary' && binary === 'base64' ? { as: 'base64' } : {};
}

/** A choice about a column that is not there is a mistake, and two columns of one name cannot be told apart. */
function faultsOf(
  before: readonly Column[],
  after: readonly Column[],
  { rename = {}, excludeProperties = [] }: LayerOptions,
): Reason[] {
  const names = after.map(({ name }) => name);
  const reasons: Reason[] = [];
  for (const [from, to] of Object.entries(rename)) {
    if (!before.some(({ name }) => name === from))
      reasons.push({ code: 'attribute-unknown', detail: `rename: the file has no attribute "${from}"` });
    else if (names.filter(name => name === to).length > 1)
      reasons.push({ code: 'attribute-clash', detail: `rename: "${from}" would be a second attribute "${to}"` });
  }
  for (const name of excludeProperties) {
    if (!names.includes(name))
      reasons.push({ code: 'attribute-unknown', detail: `excludeProperties: there is no attribute "${name}"` });
  }
  return reasons;
}

/** Points and lines have no areas to preserve. */
function faultsOfDust({ geometry }: VectorSource, { drop }: LayerOptions): Reason[] {
  if (drop !== 'dust' || !/Point|Line|Circular|Compound|^(Multi)?Curve$/.test(geometry)) return [];
  const detail = `drop: dust sums areas, which features of type ${geometry} have none of`;
  return [{ code: 'dust-without-areas', detail, remedy: 'drop: cells' }];
}
