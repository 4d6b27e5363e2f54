/**
 * Which version of a layer was served before the one of now. Its answers stay in the cache for as long as they are not
 * pushed out, and are given under memory pressure only, when the new ones cannot be made.
 */
import { layerKey } from './identity.ts';
import type { Layer } from './layers/types.ts';

interface Change {
  readonly kind: 'added' | 'replaced' | 'removed';
  readonly id: string;
  readonly layer: Layer;
}

export interface Past {
  versionBefore(id: string): string | undefined;
  /** Told of every change; answers with the cache's names of what can never be asked for again. */
  changed(changes: readonly Change[]): string[];
}

export function createPast(): Past {
  const now = new Map<string, string>();
  const before = new Map<string, string>();

  function change({ kind, id, layer }: Change): string[] {
    const old = now.get(id);
    const older = before.get(id);
    const gone = older === undefined ? [] : [layerKey(id, older)];
    if (kind === 'removed') {
      now.delete(id);
      before.delete(id);
      return [...gone, layerKey(id, layer.version)];
    }
    now.set(id, layer.version);
    if (old === undefined || old === layer.version) return [];
    before.set(id, old);
    return older === layer.version ? [] : gone;
  }

  return { versionBefore: id => before.get(id), changed: changes => changes.flatMap(change) };
}
