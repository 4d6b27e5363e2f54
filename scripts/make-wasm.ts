/**
 * Compiles wasm/ (AssemblyScript) into src/kernels/wasm/: code.ts and, of wasm/tile/ and wasm/webp/, tile-code.ts and webp-code.ts. The
 * compiler is fetched from the npm registry for this alone, at one version; nobody needs it to run or test. test/kernels-wasm keeps
 * the sources and what was made of them together.
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

interface Module {
  readonly sources: string;
  readonly code: string;
  /** Of 64 KiB, all of its memory. */
  readonly pages: number;
  /** Whether it takes relaxed SIMD: swizzles whose result for an index of 16 … 127 is the processor's own are never asked for one. */
  readonly relaxed?: boolean;
}

export const MODULES: readonly Module[] = [
  { sources: 'wasm', code: 'src/kernels/wasm/code.ts', pages: 97 },
  { sources: 'wasm/tile', code: 'src/kernels/wasm/tile-code.ts', pages: 91 },
  { sources: 'wasm/webp', code: 'src/kernels/wasm/webp-code.ts', pages: 64, relaxed: true },
];

/** Of all sources, in the order of their names: the modules share some. */
export function sourcesHash(): string {
  const hash = createHash('sha256');
  for (const file of globSync('wasm/**/*.ts', { cwd: root }).sort())
    hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 16);
}

function compile({ sources, pages, relaxed }: Module): Buffer {
  const dir = mkdtempSync(join(tmpdir(), 'plimsoll-wasm-'));
  const out = join(dir, 'code.wasm');
  const memory = ['--initialMemory', String(pages), '--maximumMemory', String(pages)];
  const flags = ['-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=', ...memory];
  const entry = `${sources}/index.ts`;
  const simd = ['--enable', 'simd', ...(relaxed ? ['--enable', 'relaxed-simd'] : [])];
  const words = ['--yes', `--package=${COMPILER}`, 'asc', entry, ...flags, ...simd, '-o', out];
  try {
    const { status } = spawnSync('npx', words, { cwd: root, stdio: 'inherit' });
    if (status !== 0) throw new Error(`asc ended with ${status}`);
    return readFileSync(out);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

if (import.meta.main) {
  for (const module of MODULES) {
    const code = compile(module);
    const lines = [
      `// Made by scripts/make-wasm.ts with ${COMPILER} from ${module.sources}/*.ts. Do not edit.`,
      `export const SOURCES = '${sourcesHash()}';`,
      `export const CODE =\n  '${code.toString('base64')}';`,
    ];
    writeFileSync(join(root, module.code), `${lines.join('\n')}\n`);
    console.log(`${module.code}: ${code.length} bytes of code`);
  }
}
