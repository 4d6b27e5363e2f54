/** Every link of the documents to a file of this checkout, and to a heading there, leads somewhere. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './process.ts';

const documents = ['*.md', 'docs/**/*.md', 'demo/*.md', 'clients/**/*.md'].flatMap(glob =>
  globSync(glob, { cwd: ROOT }),
);

/** As GitHub makes them: lower case, punctuation dropped, blanks to dashes. */
function anchors(path: string): Set<string> {
  const headings = readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm);
  return new Set([...headings].map(([, text]) => slug(text as string)));
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

function broken(document: string): string[] {
  const text = readFileSync(join(ROOT, document), 'utf8').replace(/```[\s\S]*?```/g, '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1] as string);
  return links.flatMap(link => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path, anchor] = link.split('#') as [string, string | undefined];
    const target = path === '' ? join(ROOT, document) : join(ROOT, dirname(document), path);
    if (!existsSync(target)) return [`${document}: ${link}: no ${relative(ROOT, target)}`];
    return anchor === undefined || anchors(target).has(anchor) ? [] : [`${document}: ${link}: no such heading`];
  });
}

test('links in the documents lead somewhere', () => {
  assert.ok(documents.includes('README.md') && documents.length > 5);
  assert.deepEqual(documents.flatMap(broken), []);
});

test('what the README says to run is there', () => {
  const { scripts, bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  for (const [, script] of readme.matchAll(/npm run (\w+)/g)) assert.ok(scripts[script as string], `npm run ${script}`);
  assert.ok(scripts.start && scripts.test && bin.plimsoll);
});
