/** The server as a process of its own, on a free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
const READY_MS = 30_000;

export interface Running {
  readonly base: string;
  /** What it has written so far, both streams. */
  output(): string;
  /** SIGTERM, and how it ended: its exit code, or the signal. */
  stop(): Promise<number | string>;
}

interface How {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** `node ENTRY serve ARGS… --port 0`; resolves with the address that it printed. */
export function startProcess(entry: string, args: readonly string[] = [], how: How = {}): Promise<Running> {
  return startCommand(process.execPath, [entry, 'serve', ...args], how);
}

/** Any command that ends in the server; signals go to the command itself, as a supervisor would send them. */
export async function startCommand(
  command: string,
  args: readonly string[],
  { cwd = ROOT, env = {} }: How = {},
): Promise<Running> {
  const child = spawn(command, [...args, '--host', '127.0.0.1', '--port', '0'], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (text += chunk));
  try {
    const base = await address(child, () => text);
    const stop = async () => {
      child.kill('SIGTERM');
      return await ended;
    };
    return { base, output: () => text, stop };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

async function address(child: ChildProcess, output: () => string): Promise<string> {
  const deadline = AbortSignal.timeout(READY_MS);
  for (;;) {
    const port = /Plimsoll serves \d+ layers: http:\/\/localhost:(\d+)\//.exec(output())?.[1];
    if (port !== undefined) return `http://127.0.0.1:${port}`;
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output()}`);
    const next = [...(child.stdout ? [once(child.stdout, 'data', { signal: deadline })] : []), once(child, 'exit')];
    await Promise.race(next).catch(() => {
      throw new Error(`no address after ${READY_MS} ms:\n${output()}`);
    });
  }
}
