/** RFC 3339 dates and timestamps: as CQL2 writes them, and as datetime attributes hold them. */

/** A day has no time of its own: against a timestamp it is compared by the day (UTC). */
export interface Instant {
  /** Milliseconds since 1970, with a fraction; −Infinity and Infinity at the open ends of intervals; NaN: none. */
  ms: number;
  date: boolean;
}

const DAY_MS = 86_400_000;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
/** What files hold beside: slashes, a blank, no zone (UTC), no seconds, zones without a colon. */
const LOOSE = /^(\d{4})[-/](\d{2})[-/](\d{2})(?:[Tt ](\d{2}:\d{2})(:\d{2})?(\.\d+)?\s*([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** The text without needless zeros; null where it is no date. */
export function canonicalDate(text: string): string | null {
  return DATE.test(text) && isDay(text) ? text : null;
}

/** In UTC, as CQL2 has them, without needless zeros; null where it is no timestamp. */
export function canonicalTimestamp(text: string): string | null {
  const match = TIMESTAMP.exec(text);
  if (!match || !isDay(match[1])) return null;
  const [, day, time, fraction = '', zone] = match;
  const seconds = Date.parse(`${day}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(seconds)) return null;
  const digits = fraction.replace(/\.?0+$/, '');
  return `${new Date(seconds).toISOString().slice(0, 19)}${digits}Z`;
}

function isDay(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`);
  // Date.parse takes February 30 as March 2.
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** Of a canonical text. */
export function instantOf(text: string): Instant {
  const out = { ms: Number.NaN, date: false };
  readInstant(text, out);
  return out;
}

/** Reads a date or time as files hold them; `out.ms` is NaN where there is none. */
export function readInstant(text: string, out: Instant): void {
  const match = LOOSE.exec(text.trim());
  out.ms = Number.NaN;
  if (!match) return;
  const [, year, month, day, hours, seconds = ':00', fraction, zone = 'Z'] = match;
  out.date = hours === undefined;
  const offset = zone.length === 3 ? `${zone}:00` : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const ms = Date.parse(
    out.date ? `${year}-${month}-${day}` : `${year}-${month}-${day}T${hours}${seconds}${offset.toUpperCase()}`,
  );
  out.ms = fraction === undefined ? ms : ms + Number(fraction) * 1000;
}

/** Below 0, 0, above 0. A day and a timestamp are compared by the day. */
export function compareInstants(a: Instant, b: Instant): number {
  if (a.date === b.date || !Number.isFinite(a.ms) || !Number.isFinite(b.ms)) return order(a.ms, b.ms);
  return order(Math.floor(a.ms / DAY_MS), Math.floor(b.ms / DAY_MS));
}

function order(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
