/** `npm run build`: dist/ anew, plain JavaScript by tsc, and the data files that the compiled rooms read beside them. */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

// What an earlier build left behind of renamed files would be published with the rest.
rmSync(join(root, 'dist'), { recursive: true, force: true });
const { status } = spawnSync('tsc -p tsconfig.build.json', { cwd: root, stdio: 'inherit', shell: true });
if (status !== 0) process.exit(status ?? 1);
for (const file of globSync('src/**/*.json', { cwd: root })) {
  cpSync(join(root, file), join(root, file.replace(/^src/, 'dist')));
}
