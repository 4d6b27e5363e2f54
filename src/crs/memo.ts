/** Answers of a pure function of text, kept: a tile asks for the same few systems dozens of times, and finding one takes microseconds. */

/** Keeps `most` answers: the one that was made first makes way. What throws is asked for again. */
export function remembered<T>(
  make: (...texts: readonly string[]) => T,
  most: number,
): (...texts: readonly string[]) => T {
  const known = new Map<string, T>();
  return (...texts) => {
    const key = texts.join('\0');
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make(...texts);
    if (known.size >= most) known.delete(known.keys().next().value as string);
    known.set(key, made);
    return made;
  };
}
