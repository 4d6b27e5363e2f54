/** Requests to the server the page came from. Every URL is relative to the page, so a base path needs no setting. */

export class ApiError extends Error {
  constructor(status, problem, url) {
    super(problem?.detail ?? problem?.title ?? `HTTP ${status}`);
    this.status = status;
    this.title = problem?.title ?? `HTTP ${status}`;
    this.code = problem?.code ?? String(status);
    this.url = url;
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export async function getJson(path, { signal } = {}) {
  const response = await fetch(path, { headers: { accept: 'application/json' }, signal });
  const body = parse(await response.text());
  if (!response.ok) throw new ApiError(response.status, body, path);
  if (body === null)
    throw new ApiError(response.status, { title: 'Not JSON', detail: `${path} answered no JSON` }, path);
  return body;
}

/** MapLibre hands a failed tile over as an error with the reply's body as a Blob. */
export async function fromMapError(error) {
  if (typeof error?.status !== 'number') return error;
  const body = error.body instanceof Blob ? parse(await error.body.text()) : null;
  return new ApiError(error.status, body, error.url);
}

/** A path of this server as an absolute URL that keeps MapLibre's {z}/{x}/{y} unescaped. */
export function absolute(path) {
  return new URL('.', document.baseURI).href + path;
}
