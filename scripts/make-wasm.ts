/**
 * Compiles wasm/ (AssemblyScript) into src/kernels/wasm/code.ts. The compiler is fetched from the npm registry for this alone, at one
 * version; nobody needs it to run or test. test/kernels-wasm keeps the sources and what was made of them together.
 *
 *   node scripts/make-wasm.ts
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const COMPILER = 'assemblyscript@0.28.20';
const root = join(import.meta.dirname, '..');
const CODE = 'src/kernels/wasm/code.ts';

/** Of all sources, in the order of their names. */
export function sourcesHash(): string {
  const hash = createHash('sha256');
  for (const file of globSync('wasm/*.ts', { cwd: root }).sort())
    hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 16);
}

function compile(): Buffer {
  const dir = mkdtempSync(join(tmpdir(), 'plimsoll-wasm-'));
  const out = join(dir, 'code.wasm');
  const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--initialMemory', '97', '--maximumMemory', '97'];
  const words = ['--yes', `--package=${COMPILER}`, 'asc', 'wasm/index.ts', ...flags, '--enable', 'simd', '-o', out];
  try {
    const { status } = spawnSync('npx', words, { cwd: root, stdio: 'inherit' });
    if (status !== 0) throw new Error(`asc ended with ${status}`);
    return readFileSync(out);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

if (import.meta.main) {
  const code = compile();
  const lines = [
    `// Made by scripts/make-wasm.ts with ${COMPILER} from wasm/*.ts. Do not edit.`,
    `export const SOURCES = '${sourcesHash()}';`,
    `export const CODE =\n  '${code.toString('base64')}';`,
  ];
  writeFileSync(join(root, CODE), `${lines.join('\n')}\n`);
  console.log(`${CODE}: ${code.length} bytes of code`);
}
