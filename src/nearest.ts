/** "Did you mean": the known name nearest to a mistyped one, for every refusal that names what would have been right. */

/** Optimal string alignment distance (a swap of neighbours counts as one), case folded; rows of typed arrays. */
export function editDistance(a: string, b: string): number {
  const s = a.toLowerCase();
  const t = b.toLowerCase();
  let before = new Uint16Array(t.length + 1);
  let above = Uint16Array.from({ length: t.length + 1 }, (_, i) => i);
  for (let i = 1; i <= s.length; i++) {
    const row = new Uint16Array(t.length + 1);
    row[0] = i;
    for (let j = 1; j <= t.length; j++) {
      const same = s[i - 1] === t[j - 1] ? 0 : 1;
      let best = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + same);
      if (i > 1 && j > 1 && s[i - 1] === t[j - 2] && s[i - 2] === t[j - 1]) best = Math.min(best, before[j - 2] + 1);
      row[j] = best;
    }
    before = above;
    above = row;
  }
  return above[t.length];
}

/** The nearest names, up to `count` where several are as near: within a third of the length in edits, or holding the word. */
export function nearestNames(asked: string, known: Iterable<string>, count = 3): string[] {
  // A hostile name must not buy quadratic work.
  if (asked.length > 100) return [];
  const allowed = Math.max(1, Math.ceil(asked.length / 3));
  const folded = asked.toLowerCase();
  const found: { name: string; distance: number }[] = [];
  for (const name of known) {
    if (name.length > 200) continue;
    const holds = folded.length >= 3 && name.toLowerCase().includes(folded);
    if (!holds && Math.abs(name.length - asked.length) > allowed) continue;
    const distance = holds ? 1 : editDistance(asked, name);
    if (distance <= allowed) found.push({ name, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return found
    .filter(({ distance }) => distance === found[0]?.distance)
    .slice(0, count)
    .map(({ name }) => name);
}

/** ` (did you mean "a" or "b"?)`, or nothing. */
export function didYouMean(asked: string, known: Iterable<string>): string {
  const names = nearestNames(asked, known);
  return names.length === 0 ? '' : ` (did you mean ${names.map(name => JSON.stringify(name)).join(' or ')}?)`;
}
