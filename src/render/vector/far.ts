/**
 * Vector tiles whose files other servers have: their features are fetched before they are painted, a few requests at a time, other
 * jobs of the thread meanwhile. What is painted is read from memory, by the same painter that reads files.
 */
import type { Files } from '../../io/files.ts';
import { spansCost } from '../../io/http/spans.ts';
import { Staged, stage } from '../../io/staged.ts';
import type { Painted, TaskContext } from '../../plan.ts';
import type { VectorJob, VectorJobLayer } from './job.ts';
import { passesThere } from './matches.ts';
import { narrowing } from './narrowing.ts';
import type { Ready, VectorPainter } from './paint.ts';

interface Fetched extends Ready {
  readonly bytes: Staged;
}

/** Errors: those of the painter; those of reading from another server. */
export async function paintVector(
  painter: VectorPainter,
  job: VectorJob,
  context: TaskContext,
  files: Files,
): Promise<Painted> {
  if (!job.layers.some(({ ref }) => ref.remote)) return painter.paint(job, context);
  const started = performance.now();
  const ready = new Map<VectorJobLayer, Fetched>();
  try {
    let most = 0;
    for (const layer of job.layers) {
      if (!layer.ref.remote) continue;
      ready.set(layer, await fetched(layer, context, files));
      most = Math.max(most, spansCost(layer, layer.ref.remote).heldBytes);
    }
    const painted = painter.paint(job, context, ready);
    const staged = [...ready.values()].reduce((sum, { bytes }) => sum + bytes.heldBytes, 0);
    return { ...painted, peakBytes: staged + Math.max(most, painted.peakBytes), ms: performance.now() - started };
  } finally {
    for (const { bytes } of ready.values()) bytes.close();
  }
}

async function fetched(layer: VectorJobLayer, context: TaskContext, files: Files): Promise<Fetched> {
  const bytes = files.open(layer.ref);
  const check = () => context.check();
  if (layer.filter === null && layer.toCluster === null) {
    const drawn = { layer, dropped: 0, heldBytes: 0 };
    return { drawn, bytes: await stage(files, bytes, layer, check) };
  }
  const kept = new Staged(layer.ref);
  try {
    return { drawn: await passesThere(narrowing(layer), files, bytes, check, kept), bytes: kept };
  } catch (error) {
    kept.close();
    throw error;
  }
}
