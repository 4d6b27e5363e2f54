/** Walks of indexes that other servers have wait for the network: they take turns among themselves, and no turn of those in memory. */
import type { TurnStats, Turns } from './turns.ts';

/** `isFar`: of what run() is told as its layer. */
export function turnsApart(near: Turns, far: Turns, isFar: (layer: string) => boolean): Turns {
  return {
    run: (layer, ...walk) => (isFar(layer) ? far : near).run(layer, ...walk),
    stats: () => sumOf(near.stats(), far.stats()),
    close() {
      near.close();
      far.close();
    },
  };
}

function sumOf(a: TurnStats, b: TurnStats): TurnStats {
  return {
    walking: a.walking + b.walking,
    waiting: a.waiting + b.waiting,
    done: a.done + b.done,
    refused: a.refused + b.refused,
    abandoned: a.abandoned + b.abandoned,
  };
}
