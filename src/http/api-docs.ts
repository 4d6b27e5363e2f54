/** To be the OpenAPI document at /api and its page. */
export function registerApiDocs(_app: unknown, _deps: unknown): void {}
