/** Ends a render thread from within, through the inspector: what a native crash or a full heap does to it. */

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId?: string; readonly workerInfo?: { readonly url: string } };
}

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
  await new Promise(resolve => setTimeout(resolve, 500));
  socket.close();
}
