/** The description as a page: no script, no request to anywhere, one style sheet that the CSP knows by its digest. */
import { createHash } from 'node:crypto';
import { ERRORS } from '../../errors.ts';
import { exampleUrl } from './example.ts';
import type { Endpoint, Parameter, Schema, Tag } from './types.ts';

export interface PageInput {
  readonly endpoints: readonly Endpoint[];
  readonly tags: Readonly<Record<Tag, string>>;
  readonly url: string;
  readonly version: string;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --quiet: #777; --code: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .25rem; text-transform: capitalize; }
p { margin: .25rem 0 .75rem; }
nav a { margin-right: .9rem; text-transform: capitalize; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
summary b { display: inline-block; width: 4.2rem; font-size: .8rem; }
summary span { color: var(--quiet); margin-left: .6rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; background: var(--code); border-radius: 4px; padding: .1em .3em; }
pre { padding: .6rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 .8rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: .85rem; }
.quiet { color: var(--quiet); }
`;

export const PAGE_CSP = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

export function apiPage({ endpoints, tags, url, version }: PageInput): string {
  const present = (Object.keys(tags) as Tag[]).filter(tag => endpoints.some(endpoint => endpoint.tag === tag));
  const sections = present.map(tag => section(tag, tags[tag], endpoints, url));
  const links = present.map(tag => `<a href="#${tag}">${tag}</a>`).join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Plimsoll API</title><style>${STYLE}</style></head><body>
<h1>Plimsoll API <span class="quiet">${escape(version)}</span></h1>
<p>At <code>${escape(url)}</code>. The same for programs: <a href="api">OpenAPI 3.1</a>. The map: <a href="./">viewer</a>.</p>
<nav>${links}<a href="#errors">errors</a></nav>
${sections.join('\n')}
${errorTable()}
</body></html>
`;
}

function section(tag: Tag, description: string, endpoints: readonly Endpoint[], url: string): string {
  const own = endpoints.filter(endpoint => endpoint.tag === tag);
  return `<h2 id="${tag}">${tag}</h2><p>${escape(description)}</p>${own.map(one => operation(one, url)).join('\n')}`;
}

function operation(endpoint: Endpoint, url: string): string {
  const { id, method, path, summary, description, parameters, body, security } = endpoint;
  return `<details id="${id}"><summary><b>${method.toUpperCase()}</b><code>${escape(path)}</code><span>${escape(summary)}</span></summary>
${description ? `<p>${escape(description)}</p>` : ''}${tryIt(endpoint, url)}
${security ? `<p>Wants <code>Authorization: Bearer …</code> (${security === 'adminToken' ? 'the admin token' : 'the session’s secret'}).</p>` : ''}
${body ? `<p>Body: ${escape(body.description)} ${Object.keys(body.content).map(code).join(' ')}</p>` : ''}
${parameterTable(parameters)}${answerTable(endpoint)}</details>`;
}

function tryIt(endpoint: Endpoint, url: string): string {
  if (endpoint.untried !== undefined) return `<p>${escape(endpoint.untried)}</p>`;
  const relative = exampleUrl(endpoint);
  if (endpoint.method === 'get' && endpoint.security === undefined && endpoint.tag !== 'sessions') {
    const href = relative === '' ? './' : relative;
    return `<p>Try it: <a href="${escape(href)}">/${escape(relative)}</a></p>`;
  }
  const auth = endpoint.security ? ` -H 'Authorization: Bearer SECRET'` : '';
  const sent = endpoint.body
    ? ` -H 'Content-Type: ${Object.keys(endpoint.body.content)[0]}' -d '${JSON.stringify(endpoint.body.example)}'`
    : '';
  return `<pre>curl -X ${endpoint.method.toUpperCase()}${auth}${escape(sent)} '${escape(`${url}/${relative}`)}'</pre>`;
}

function parameterTable(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(parameter => {
    const { name, in: where, required, description, schema, example } = parameter;
    const shown = example === undefined ? '' : code(Array.isArray(example) ? example.join(',') : String(example));
    return `<tr><td>${code(name)}${required ? '' : ' <span class="quiet">optional</span>'}</td><td>${where}</td><td>${escape(typeText(schema))}</td><td>${escape(description)}</td><td>${shown}</td></tr>`;
  });
  return `<table><tr><th>parameter</th><th>in</th><th>type</th><th>what</th><th>example</th></tr>${rows.join('')}</table>`;
}

/** A schema in a few words: type, choices, range, default. */
export function typeText(schema: Schema): string {
  const {
    type,
    enum: choices,
    minimum,
    maximum,
    default: fallback,
    items,
    anyOf,
    $ref,
  } = schema as Record<string, unknown>;
  if (Array.isArray(anyOf)) return anyOf.map(one => typeText(one as Schema)).join(' or ');
  if ($ref !== undefined) return String($ref).split('/').at(-1) as string;
  const base = type === 'array' ? `list of ${typeText((items ?? {}) as Schema)}` : [type].flat().join(' or ');
  const list = Array.isArray(choices) ? `: ${choices.join(', ')}` : '';
  const range =
    minimum === undefined && maximum === undefined
      ? ''
      : maximum === undefined
        ? ` ≥ ${minimum}`
        : ` ${minimum ?? ''}–${maximum}`;
  return `${base}${list}${range}${fallback === undefined ? '' : `, default ${String(fallback)}`}`;
}

function answerTable({ answers, problems }: Endpoint): string {
  const good = Object.entries(answers).map(([status, { description, content = {}, headers = [] }]) => {
    const what = `${escape(description)} ${Object.keys(content).map(code).join(' ')}`;
    return `<tr><td>${status}</td><td>${what}</td><td>${headers.map(code).join(' ')}</td></tr>`;
  });
  const byStatus = [...Map.groupBy(problems, one => ERRORS[one].status)].sort(([a], [b]) => a - b);
  const bad = byStatus.map(
    ([status, codes]) =>
      `<tr><td>${status}</td><td>${codes.map(one => `<a href="#problem-${one}">${code(one)}</a>`).join(' ')}</td><td></td></tr>`,
  );
  return `<table><tr><th>status</th><th>answer</th><th>headers</th></tr>${good.join('')}${bad.join('')}</table>`;
}

function errorTable(): string {
  const rows = Object.entries(ERRORS).map(
    ([name, { status, title }]) =>
      `<tr id="problem-${name}"><td>${status}</td><td>${code(name)}</td><td>${escape(title)}</td></tr>`,
  );
  return `<h2 id="errors">errors</h2><p>RFC 9457 <code>application/problem+json</code>; the code is stable.</p><table><tr><th>status</th><th>code</th><th>what</th></tr>${rows.join('')}</table>`;
}

function code(text: string): string {
  return `<code>${escape(text)}</code>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, char => ENTITIES[char] as string);
}
