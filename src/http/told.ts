/** How the target of a request is told of, in logs and in the `instance` of an error. */
import { isUrl, shown } from '../io/http/allow.ts';

/** Parameters of presigned URLs, which become parameters of ours where somebody forgets to encode theirs. */
const SECRET = /^x-(amz|goog|ms)-|sig|token|credential|secret|password|key/i;

/** Without the queries of the URLs in its query, which may be signatures, and without what looks like one itself. */
export function toldTarget(target: string): string {
  const at = target.indexOf('?');
  if (at < 0) return target;
  const parts = target.slice(at + 1).split('&');
  return `${target.slice(0, at)}?${parts.map(toldPart).join('&')}`;
}

function toldPart(part: string): string {
  const [name, ...rest] = part.split('=');
  const value = decoded(rest.join('='));
  if (value !== '' && SECRET.test(decoded(name))) return `${name}=…`;
  // One that is not encoded right is cut as it stands: whatever it hides lies behind its question mark.
  return isUrl(value) ? `${name}=${encodeURIComponent(shown(value.replace(/%3f.*$/is, '')))}` : part;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text.replace(/%3a/gi, ':').replace(/%2f/gi, '/');
  }
}
