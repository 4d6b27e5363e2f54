/** Thread entry: one envelope in, one answer out. A task's error crosses as plain data; only a crash rejects. */
import { workerData } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { problem, toPlainProblem } from '../errors.ts';
import type { TaskContext } from '../plan.ts';
import { createGate } from './gate.ts';
import type { Answer, Envelope } from './pool.ts';
import { createTasks, type WorkerSettings } from './tasks.ts';

const { flags, settings } = workerData[1] ?? workerData;
const cancelled = new Int32Array(flags as SharedArrayBuffer);
const tasks = createTasks(settings as WorkerSettings);
/** While libvips encodes one picture the next is decoded. More at a time would hold memory and win nothing. */
const gate = createGate(2);

export default async function work(envelope: Envelope): Promise<Answer | null> {
  const { port } = envelope;
  if (!port) return moved(await gate.through(() => answerOf(envelope)));
  void answerOf(envelope).then(answer => {
    port.postMessage(answer, owned(answer));
    port.close();
  });
  return null;
}

async function answerOf({ job, slot }: Envelope): Promise<Answer> {
  const context: TaskContext = {
    cancelled: () => Atomics.load(cancelled, slot) === 1,
    check: () => {
      if (Atomics.load(cancelled, slot) === 1) throw problem('client-closed', 'cancelled while it was rendered');
    },
  };
  try {
    context.check();
    const task = tasks[job.task];
    if (!task) throw problem('internal', `no task is called ${job.task}`);
    return { ok: true, painted: await task(job, context) };
  } catch (error) {
    return { ok: false, problem: toPlainProblem(error) };
  }
}

/** Hands the body over instead of copying it; a body that is a view of something larger is copied, never leaked whole. */
function moved(answer: Answer): Answer {
  const buffers = owned(answer);
  if (buffers.length === 0) return answer;
  return move({ [transferableSymbol]: buffers, [valueSymbol]: answer } as never) as unknown as Answer;
}

function owned(answer: Answer): ArrayBuffer[] {
  const body = answer.ok ? answer.painted.body : null;
  return body?.buffer instanceof ArrayBuffer && body.buffer.byteLength === body.byteLength ? [body.buffer] : [];
}
