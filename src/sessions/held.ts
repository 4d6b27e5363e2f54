/**
 * The indexes that the session thread holds, by key. What drill-downs leave behind in all of them together keeps to one
 * bound: past it the layers that were drilled longest ago are taken back to their base, and the one being drilled last.
 */
import { problem } from '../errors.ts';
import type { SessionIndex } from './tile-index.ts';

export interface HeldLayer {
  readonly index: SessionIndex;
  /** Its name in the tile. */
  readonly name: string;
  readonly extent: number;
}

/** Key and bytes of drill-downs, of the layers in which they have changed. */
export type Drilled = readonly (readonly [string, number])[];

export interface HeldLayers {
  add(key: string, layer: HeldLayer): void;
  drop(key: string): void;
  /** Throws session-gone. */
  get(key: string): HeldLayer;
  /** After a tile was cut out of `key`. */
  drilled(key: string, bytesMax: number): Drilled;
}

export function createHeldLayers(): HeldLayers {
  const layers = new Map<string, HeldLayer>();
  /** Drilled longest ago first. */
  const order = new Map<string, number>();
  let bytes = 0;

  const note = (key: string, drilled: number): void => {
    bytes += drilled - (order.get(key) ?? 0);
    order.delete(key);
    if (drilled > 0) order.set(key, drilled);
  };

  return {
    add: (key, layer) => {
      layers.set(key, layer);
    },
    drop: key => {
      layers.delete(key);
      note(key, 0);
    },
    get: key => {
      const layer = layers.get(key);
      if (!layer) throw problem('session-gone', `${key} has ended`);
      return layer;
    },
    drilled: (key, bytesMax) => {
      note(key, layers.get(key)?.index.drilledBytes ?? 0);
      const forgotten: [string, number][] = [];
      for (const oldest of [...order.keys()]) {
        if (bytes <= bytesMax) break;
        layers.get(oldest)?.index.forget();
        note(oldest, 0);
        if (oldest !== key) forgotten.push([oldest, 0]);
      }
      return [...forgotten, [key, order.get(key) ?? 0]];
    },
  };
}
