/**
 * The cells of vector layers are measured once for a layer, in a worker, under a permit like any other work; what is too large
 * for any permit is measured in this thread instead, a few milliseconds at a time, and booked. Layers are measured ahead of
 * the first that asks, one after the other, while nothing presses.
 */
import type { Admission } from './admission/controller.ts';
import { Problem, problem } from './errors.ts';
import type { Catalogue, Layer, VectorLayer } from './layers/types.ts';
import type { Ledger, Level } from './memory/types.ts';
import { costBytes } from './plan.ts';
import type { LayerCells, LodCaps } from './render/vector/lod.ts';
import { cellsCost, cellsJob, readCells } from './render/vector/measure.ts';
import { ahead, cellsHere, type Measure } from './render/vector/zoom-cells.ts';
import { overviewRemedy } from './source/fgb/overview-format.ts';
import type { TileMatrixSet } from './tile.ts';
import type { Pool } from './workers/pool.ts';

export interface CellsRooms {
  readonly admission: Admission;
  readonly pool: Pool;
  readonly ledger: Ledger;
  readonly level: () => Level;
  /** The grid for which layers are measured ahead; null: none is. */
  readonly ahead: TileMatrixSet | null;
}

export interface Cells {
  /** Errors: overloaded, draining; those of reading the file. */
  readonly measure: Measure;
  /** These layers are new, or other files by now: they are measured ahead, one after the other. */
  queue(layers: readonly Layer[], catalogue: Catalogue): void;
  /** Ends what is being measured. */
  close(): Promise<void>;
}

const OPERATION = 'cells';
/** Longest feature that a layer is thought to have until its index has been read. */
const LONGEST_BYTES = 128 * 1024;

export function createCells(rooms: CellsRooms): Cells {
  return new CellsRoom(rooms);
}

class CellsRoom implements Cells {
  readonly #rooms: CellsRooms;
  /** Versions of layers by id. */
  readonly #waiting = new Map<string, string>();
  /** No client's leaving ends a measurement: what it finds is of use to all who come after. */
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;

  constructor(rooms: CellsRooms) {
    this.#rooms = rooms;
  }

  readonly measure: Measure = async (layer, grid, caps) => {
    try {
      return await this.#inWorker(layer, grid, caps, LONGEST_BYTES);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'too-large') throw error;
      const { ref } = layer.source;
      // This thread reads no features of other servers.
      if (ref.remote) throw problem('too-large', error.message, { remedy: overviewRemedy(ref.href), ...error.extra });
      return this.#here(layer, grid, caps);
    }
  };

  async #inWorker(layer: VectorLayer, grid: TileMatrixSet, caps: LodCaps, longestMax: number): Promise<LayerCells> {
    const { admission, pool } = this.#rooms;
    const { signal } = this.#closing;
    const cost = cellsCost(layer, caps, longestMax);
    const bytes = admission.price(cost, OPERATION, layer.id);
    // What waits for other servers waits among the windows.
    const kind = layer.source.ref.remote ? 'window' : 'tile';
    const permit = await admission.acquire({ bytes, class: kind, client: `${OPERATION} ${layer.id}`, signal });
    let longest: number;
    try {
      const painted = await pool.run(cellsJob(layer, grid, caps, longestMax), { signal });
      const measured = readCells(painted);
      if (measured.cells) {
        admission.learn(OPERATION, layer.id, cost, painted.peakBytes);
        return measured.cells;
      }
      longest = measured.longest;
    } finally {
      permit.release();
    }
    return this.#inWorker(layer, grid, caps, longest);
  }

  async #here(layer: VectorLayer, grid: TileMatrixSet, caps: LodCaps): Promise<LayerCells> {
    const bytes = costBytes(cellsCost(layer, caps, LONGEST_BYTES));
    const booking = this.#rooms.ledger.book('inflight', bytes, `${OPERATION} of ${layer.id}`);
    try {
      return await cellsHere(layer, grid, caps, this.#closing.signal);
    } finally {
      booking.release();
    }
  }

  queue(layers: readonly Layer[], catalogue: Catalogue): void {
    const grid = this.#rooms.ahead;
    if (grid === null) return;
    for (const layer of layers) {
      // Whole indexes of other servers are read for those who ask, not for who might.
      if (layer.kind !== 'vector' || !layer.verdict.servable || layer.source.ref.remote) continue;
      this.#waiting.set(layer.id, layer.version);
    }
    this.#running ??= this.#ahead(grid, catalogue);
  }

  async #ahead(grid: TileMatrixSet, catalogue: Catalogue): Promise<void> {
    for (const [id, version] of this.#waiting) {
      // Whoever asks already comes first.
      await new Promise(resolve => setImmediate(resolve));
      this.#waiting.delete(id);
      const idle = this.#rooms.level() === 'normal' && !this.#closing.signal.aborted;
      if (!idle || catalogue.get(id)?.version !== version) continue;
      const lease = catalogue.lease(id);
      try {
        if (lease.layer.kind === 'vector') await ahead(lease.layer, grid, this.measure);
      } catch {
        // The first request tries again, and is told why where that fails as well.
      } finally {
        lease.release();
      }
    }
    this.#running = null;
  }

  async close(): Promise<void> {
    this.#closing.abort(problem('draining', 'the server takes no new work'));
    await this.#running;
  }
}
