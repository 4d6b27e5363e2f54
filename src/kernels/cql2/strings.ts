/** Texts as CQL2 compares them: CASEI, ACCENTI and LIKE. */

/**
 * Full case folding (Unicode CaseFolding, C and F) out of what the language has: ß and ẞ are ss, every sigma is one. A
 * dotless i stays itself. (Cherokee folds to small letters here and to capitals there: what is equal is equal either way.)
 */
export function foldCase(text: string): string {
  if (text.includes('ı')) return text.split('ı').map(foldCase).join('ı');
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

/** Without marks above, below and through letters; the voicing marks of kana (U+3099, U+309A) change the letter and stay. */
export function foldAccents(text: string): string {
  return text
    .normalize('NFD')
    .replace(/(?![\u3099\u309A])\p{Mn}/gu, '')
    .normalize('NFC');
}

const ANY = -1;
const ONE = -2;

/** The pattern of LIKE: % is any text, _ one character, a backslash makes the next character plain. */
export class LikePattern {
  /** Characters (code points), ANY and ONE. */
  readonly #parts: number[] = [];

  constructor(pattern: string) {
    const points = Array.from(pattern, char => char.codePointAt(0) as number);
    for (let i = 0; i < points.length; i++) {
      const point = points[i];
      if (point === 0x5c && i + 1 < points.length) this.#parts.push(points[++i]);
      else if (point !== 0x25) this.#parts.push(point === 0x5f ? ONE : point);
      else if (this.#parts.at(-1) !== ANY) this.#parts.push(ANY);
    }
  }

  /** No backtracking beyond the last %: time is text × pattern at worst, whatever the pattern. */
  matches(text: string): boolean {
    const parts = this.#parts;
    let at = 0;
    let part = 0;
    let star = -1;
    let resume = 0;
    while (at < text.length) {
      const point = text.codePointAt(at) as number;
      const wanted = parts[part];
      if (wanted === ANY) {
        star = part++;
        resume = at;
      } else if (wanted === ONE || wanted === point) {
        at += point > 0xffff ? 2 : 1;
        part++;
      } else if (star >= 0) {
        part = star + 1;
        resume += (text.codePointAt(resume) as number) > 0xffff ? 2 : 1;
        at = resume;
      } else return false;
    }
    while (parts[part] === ANY) part++;
    return part === parts.length;
  }
}
