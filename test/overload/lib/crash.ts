/** Ends a render thread from within, through the inspector: what a native crash or a full heap does to it. */

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId?: string; readonly workerInfo?: { readonly url: string } };
}

const ENDED_MS = 20_000;

export async function crashWorker(output: string): Promise<void> {
  const url = /Debugger listening on (ws:\S+)/.exec(output.slice(output.lastIndexOf('Debugger listening')))?.[1];
  if (url === undefined) throw new Error(`no inspector in the output:\n${output}`);
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error(`${url} does not answer`)), { once: true });
  });
  const attached = new Promise<string>(resolve => {
    socket.addEventListener('message', event => {
      const { method, params } = JSON.parse(String(event.data)) as Message;
      if (method === 'NodeWorker.attachedToWorker' && /piscina/.test(params?.workerInfo?.url ?? '')) {
        resolve(params?.sessionId as string);
      }
    });
  });
  const send = (id: number, method: string, params: object) => socket.send(JSON.stringify({ id, method, params }));
  send(1, 'NodeWorker.enable', { waitForDebuggerOnStart: false });
  const sessionId = await attached;
  const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: 'process.exit(3)' } });
  send(2, 'NodeWorker.sendMessageToWorker', { sessionId, message });
  await ended(socket, sessionId);
  socket.close();
}

/** A busy machine may take its time over it, and who hangs up before has ended nothing. */
function ended(socket: WebSocket, sessionId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the worker lives after ${ENDED_MS} ms`)), ENDED_MS);
    socket.addEventListener('message', event => {
      const { method, params } = JSON.parse(String(event.data)) as Message;
      if (method !== 'NodeWorker.detachedFromWorker' || params?.sessionId !== sessionId) return;
      clearTimeout(late);
      resolve();
    });
  });
}
