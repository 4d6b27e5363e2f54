/** The server as operators run it: a process of its own, in a cgroup of its own, started through `serve` and relaunched. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Cgroup, createCgroup } from './cgroup.ts';

const START_MS = 60_000;
/** A hang, and not a busy machine. */
const ASK_MS = 60_000;
export const TOKEN = 'overload';

export interface ServerOptions {
  /** main.js of the built server, or src/main.ts. */
  readonly main: string;
  readonly limitMiB: number;
  /** Flags of node itself, beside those that the launcher sets. */
  readonly execArgv?: readonly string[];
  readonly paths: readonly string[];
  readonly logLevel?: string;
  /** Configuration keys. */
  readonly set?: Readonly<Record<string, string>>;
}

/** What /debug/memory tells, as far as the tests read it. */
export interface DebugMemory {
  readonly limit: number;
  readonly accounts: Readonly<Record<string, number>>;
  readonly budget: { readonly limit: number; readonly line: number; readonly requestCeilingBytes: number };
  readonly memory: {
    readonly level: string;
    readonly unaccounted: number;
    readonly budgetBytes: number;
    readonly sample: { readonly used: number; readonly rss: number; readonly pressure: number };
    readonly ledger: { readonly doubleReleases: number };
  };
  readonly admission: {
    readonly held: Readonly<Record<string, number>>;
    readonly heldBytes: Readonly<Record<string, number>>;
    readonly queued: Readonly<Record<string, number>>;
    readonly admitted: Readonly<Record<string, number>>;
    readonly refused: Readonly<Record<string, number>>;
    readonly refusedBy: Readonly<Record<string, number>>;
  };
  readonly planning: { readonly refused: number };
  readonly ladder: Readonly<Record<'full' | 'degraded', number>>;
  readonly pool: { readonly running: number; readonly queued: number; readonly crashed: number; readonly done: number };
}

export interface Server {
  readonly port: number;
  readonly pid: number;
  readonly group: Cgroup;
  readonly output: () => string;
  /** The signal or exit code that ended it; null while it runs. */
  ended(): string | null;
  debug(): Promise<DebugMemory>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<{ status: number; text: string }>;
  stop(): Promise<void>;
}

export async function startServer({
  main,
  limitMiB,
  paths,
  execArgv = [],
  logLevel = 'warn',
  set = {},
}: ServerOptions): Promise<Server> {
  const name = `plimsoll-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const group = createCgroup(name, limitMiB * 2 ** 20);
  const sets = Object.entries({ adminToken: TOKEN, 'discovery.watch': 'false', ...set }).flatMap(([key, value]) => [
    '--set',
    `${key}=${value}`,
  ]);
  // exec keeps the pid, and so does the relaunch: what is in the group is the server and nothing else.
  const child = spawn(
    '/bin/sh',
    ['-c', 'echo $$ > "$0" && exec "$@"', group.procs, process.execPath, ...execArgv, main, 'serve', ...paths]
      .concat(['--host', '127.0.0.1', '--port', '0', '--log-level', logLevel])
      .concat(sets),
    { stdio: ['ignore', 'pipe', 'pipe'], env: plainEnv() },
  );
  const output = collect(child);
  try {
    const port = await portOf(child, output);
    return serverOf(child, port, group, output);
  } catch (error) {
    await end(child);
    await group.remove();
    throw error;
  }
}

/** Nothing of the tests' own settings, nor what node's test runner tells its children. */
function plainEnv(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PLIMSOLL_|NODE_|MALLOC_)/.test(name));
  return Object.fromEntries(kept);
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', chunk => {
      text = `${text}${chunk}`.slice(-20_000);
    });
  }
  return () => text;
}

function portOf(child: ChildProcess, output: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server did not start:\n${output()}`)), START_MS);
    const look = () => {
      const match = /Plimsoll serves .*:(\d+)\/\n/.exec(output());
      if (!match) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    };
    child.stdout?.on('data', look);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`the server ended at start (${signal ?? code}):\n${output()}`));
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function serverOf(child: ChildProcess, port: number, group: Cgroup, output: () => string): Server {
  const ask = (path: string, headers: Readonly<Record<string, string>>) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { connection: 'close', ...headers },
      signal: AbortSignal.timeout(ASK_MS),
    });
  return {
    port,
    pid: child.pid as number,
    group,
    output,
    ended: () => child.signalCode ?? (child.exitCode === null ? null : String(child.exitCode)),
    async debug() {
      const reply = await ask('/debug/memory', { authorization: `Bearer ${TOKEN}` });
      if (reply.status !== 200) throw new Error(`/debug/memory: ${reply.status} ${await reply.text()}`);
      return (await reply.json()) as DebugMemory;
    },
    async get(path, headers = {}) {
      const reply = await ask(path, headers);
      return { status: reply.status, text: await reply.text() };
    },
    async stop() {
      await end(child);
      await group.remove();
    },
  };
}
