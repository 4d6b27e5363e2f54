/**
 * Which URLs may be read. The list says scheme, host, port and the beginning of the path; what it does not say is refused before a
 * name is looked up. URLs are compared as WHATWG writes them, so that a host in decimal, octal or with dots encoded is what it is.
 */
import { type Problem, problem } from '../../errors.ts';

export interface AllowRule {
  readonly protocol: 'http:' | 'https:';
  /** Without the `*.` of a wildcard; '' for every host. */
  readonly host: string;
  /** Names below `host` too, at any depth; not `host` itself. */
  readonly below: boolean;
  /** As URL.port has it: '' is the scheme's own. Null: every port. */
  readonly port: string | null;
  /** '/' for every path. */
  readonly path: string;
}

/** Anything but the path of a file; schemes that are not read are refused where it is judged. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/** How a path of either kind is told of. */
export function shownPath(path: string): string {
  return isUrl(path) ? shown(path) : path;
}

/** Presigned URLs have a kilobyte or two of signature. */
const URL_CHARS_MAX = 4096;
const RULE = /^(https?):\/\/(\*|(?:\*\.)?[^/:?#@[\]\\\s*]+|\[[0-9a-f:.]+\])(?::(\d{1,5}|\*))?(\/[^?#]*)?$/i;

/** `https://data.example.org/cogs/`, `https://*.example.org`, `http://10.0.0.7:8080`. Null for anything else. */
export function parseAllowRule(text: string): AllowRule | null {
  const match = RULE.exec(text);
  if (!match) return null;
  const [, scheme, host, port, path = '/'] = match;
  const below = host.startsWith('*');
  const name = host === '*' ? '' : host.replace(/^\*\./, '');
  const sample = `${scheme}://${name === '' ? 'any' : name}${port === undefined || port === '*' ? '' : `:${port}`}${path}`;
  if (!URL.canParse(sample)) return null;
  const url = new URL(sample);
  return {
    protocol: url.protocol as AllowRule['protocol'],
    host: name === '' ? '' : url.hostname,
    below,
    port: port === '*' ? null : url.port,
    path: url.pathname,
  };
}

/**
 * The URL in its one form, without its fragment. Errors: bad-parameter (no URL), remote-forbidden with a `reason`: off, scheme,
 * credentials, host (which is: host, port and path together are on no line of the list), path, length.
 */
export function judgeUrl(text: string, rules: readonly AllowRule[]): URL {
  if (text.length > URL_CHARS_MAX) throw refused('length', text, `is longer than ${URL_CHARS_MAX} characters`);
  if (rules.length === 0)
    throw refused(
      'off',
      text,
      'is a URL, and none is read here: remote.allow is empty; give the id of a layer of /layers',
    );
  if (!URL.canParse(text)) throw problem('bad-parameter', `url: "${shown(text)}" is not a URL`);
  const url = new URL(text);
  url.hash = '';
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refused('scheme', text, `has the scheme ${url.protocol.slice(0, -1)}; only http and https are read`);
  if (url.username !== '' || url.password !== '') throw refused('credentials', shown(text), 'holds a user or password');
  const near = rules.filter(rule => fitsHost(rule, url));
  if (near.length === 0) throw refused('host', text, `is on no line of remote.allow: ${url.origin}`);
  if (!near.some(({ path }) => beginsWith(url.pathname, path)))
    throw refused('path', text, `lies outside the paths that remote.allow has of ${url.origin}`);
  // A server may decode what we must not: behind %2f..%2f lies another path than the one on the list.
  if (!near.some(({ path }) => path === '/') && /%2f|%5c|%2e/i.test(url.pathname))
    throw refused('path', text, 'hides slashes or dots in its path');
  return url;
}

/** A URL that the operator names as a layer: on no list, since nobody else chose it. Errors: remote-forbidden. */
export function judgeNamed(text: string): URL {
  const host = URL.canParse(text) ? new URL(text).host : '';
  const rule = parseAllowRule(`${text.split('://')[0]}://${host}`);
  return judgeUrl(text, rule ? [rule] : [ANY]);
}

const ANY: AllowRule = { protocol: 'https:', host: '', below: true, port: null, path: '/' };

function fitsHost({ protocol, host, below, port }: AllowRule, url: URL): boolean {
  if (protocol !== url.protocol || (port !== null && port !== url.port)) return false;
  if (host === '') return true;
  return below ? url.hostname.endsWith(`.${host}`) && url.hostname.length > host.length + 1 : url.hostname === host;
}

/** By whole segments: /cogs is not /cogs-private. */
function beginsWith(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}

function refused(reason: string, text: string, why: string): Problem {
  return problem('remote-forbidden', `url: "${shown(text)}" ${why}`, { reason });
}

/** How a URL is told of: without its query, which may be a signature, without a password, and not too long. */
export function shown(url: string | URL): string {
  const bare = String(url)
    .replace(/[?#].*$/s, '')
    .replace(/^([a-z][a-z0-9+.-]*:\/*)[^/]*@/i, '$1…@');
  return bare.length > 160 ? `${bare.slice(0, 157)}…` : bare;
}
