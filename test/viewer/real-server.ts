/** The server as its users start it: the command line in a process of its own, on a free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface RealServer {
  /** Where the process listens, whatever its public URL. */
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startReal(paths: readonly string[], flags: readonly string[] = []): Promise<RealServer> {
  const args = ['src/main.ts', 'serve', ...paths, '--port', '0', '--host', '127.0.0.1', '--memory', '512MiB', ...flags];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const port = await portOf(child);
  return {
    address: `http://127.0.0.1:${port}`,
    pid: child.pid as number,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Out of the log or the line that says where it serves; an early end says what the process wrote. */
async function portOf(child: ChildProcess): Promise<number> {
  let text = '';
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk;
      const found =
        /Server listening at http:\/\/127\.0\.0\.1:(\d+)|Plimsoll serves .*?http:\/\/localhost:(\d+)\//.exec(text);
      if (found) resolve(Number(found[1] ?? found[2]));
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', code => reject(new Error(`the server ended with ${code}:\n${text}`)));
  });
}
