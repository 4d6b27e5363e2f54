export function registerApiDocs(_app: unknown, _deps: unknown): void {}
