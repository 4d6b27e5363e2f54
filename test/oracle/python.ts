/** The Python whose rasterio, numpy and shapely say what is right; tests skip with a reason where there is none. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const CANDIDATES = [
  process.env.PLIMSOLL_PYTHON,
  fileURLToPath(new URL('../../.venv/bin/python', import.meta.url)),
  '/opt/venv/bin/python',
];

/** Path of a Python that can import all modules, or the reason why there is none. */
export function findPython(...modules: string[]): { readonly python: string } | { readonly reason: string } {
  for (const python of CANDIDATES) {
    if (!python || !existsSync(python)) continue;
    const probe = spawnSync(python, ['-c', `import ${modules.join(',')}`], { stdio: 'ignore' });
    if (probe.status === 0) return { python };
  }
  return { reason: `no Python with ${modules.join(', ')} (set PLIMSOLL_PYTHON)` };
}

/** Gives a script JSON lines; answers with the lines that it complains in, and the totals that are its last. */
export function askPython<T>(
  python: string,
  script: string,
  lines: readonly string[],
  args: readonly string[] = [],
): { totals: T; said: string[] } {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const run = spawnSync(python, [path, ...args], { input: lines.join('\n'), encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (run.status !== 0) throw new Error(`${script}: ${run.stderr || run.error}`);
  const said = run.stdout.trim().split('\n');
  return { totals: JSON.parse(said.pop() as string) as T, said };
}

/** Answers with what it prints. */
export function runPython(python: string, script: string, args: readonly string[]): string {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const run = spawnSync(python, [path, ...args], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${script}: ${run.stderr || run.error}`);
  return run.stdout;
}
