/** A YAML file as plain data that remembers where each key stands. */
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import type { ConfigIssue, KeyPath } from './issues.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface ConfigFile {
  readonly data: unknown;
  /** The place of a key (atKey) or of its value; of the nearest parent where it does not exist. */
  place(path: KeyPath, atKey: boolean): Place;
  /** A number that is not written in plain decimal digits, as it stands in the file. */
  oddNumber(path: KeyPath): string | null;
}

/** Answers with issues where the text is no YAML at all. */
export function parseConfigFile(name: string, text: string): ConfigFile | { readonly issues: ConfigIssue[] } {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, version: '1.2' });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (doc.errors.length > 0) {
    return {
      issues: doc.errors.map(error => ({ origin: name, ...at(error.pos[0]), key: '', message: error.message })),
    };
  }
  let data: unknown;
  try {
    data = doc.toJS() ?? {};
  } catch (error) {
    // Unresolved or too many aliases.
    return { issues: [{ origin: name, line: 1, column: 1, key: '', message: (error as Error).message }] };
  }
  const nodeOffset = (path: KeyPath, atKey: boolean): number => {
    for (let depth = path.length; depth > 0; depth--) {
      const parent = depth === 1 ? doc.contents : doc.getIn(path.slice(0, depth - 1), true);
      const name = path[depth - 1];
      if (isMap(parent)) {
        const pair = parent.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(name));
        const node = (atKey || depth < path.length ? pair?.key : (pair?.value ?? pair?.key)) as
          | { range?: number[] }
          | undefined;
        if (node?.range) return node.range[0];
      }
      const node = doc.getIn(path.slice(0, depth), true) as { range?: number[] } | undefined;
      if (node?.range) return node.range[0];
    }
    return 0;
  };
  return {
    data,
    place: (path, atKey) => at(nodeOffset(path, atKey)),
    oddNumber: path => {
      const node = doc.getIn(path, true);
      return isScalar(node) && node.format !== undefined && typeof node.value === 'number'
        ? (node.source ?? null)
        : null;
    },
  };
}
