// A page for errors: its text with the few values that it may hold, escaped for the type it has.
import { ERRORS } from '../../errors.ts';
import { reasonPhrase } from '../../message/reason-phrases.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { ResponseHead } from '../../message/response.ts';
import { compileTemplate, type Template, type Value } from '../template.ts';

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** What a page is for, and what it is. */
export interface PageFacts {
  readonly codes: readonly string[];
  /** Null: none in particular. */
  readonly statuses: readonly StatusRange[] | null;
  readonly type: string;
}

interface Failed {
  readonly request: CanonicalRequest;
  readonly head: Readonly<ResponseHead>;
}

const VALUES: Readonly<Record<string, Value<Failed>>> = {
  'request.id': ({ request }) => request.requestId,
  status: ({ head }) => `${head.status}`,
  code: ({ head }) => head.own?.code ?? '',
  title: ({ head }) => titleOf(head),
};

/** Nothing that a client chooses but its request id, of which only trusted peers choose one. */
export const PAGE_NAMES: readonly string[] = Object.keys(VALUES);

export function pageTemplate(text: string, type: string): Template<Failed> {
  const find = (name: string): Value<Failed> | null => (Object.hasOwn(VALUES, name) ? (VALUES[name] ?? null) : null);
  return compileTemplate(text, { names: PAGE_NAMES, find }, escapeFor(mediaTypeOf(type)));
}

/** Lower case, without parameters. */
export const mediaTypeOf = (type: string): string => (type.split(';', 1)[0] ?? '').trim().toLowerCase();

function titleOf({ status, own }: Readonly<ResponseHead>): string {
  return own === undefined || own.code === '' ? (reasonPhrase(status) ?? '') : ERRORS[own.code].title;
}

function escapeFor(type: string): (value: string) => string {
  if (/[/+]json$/.test(type)) return (value) => JSON.stringify(value).slice(1, -1);
  return /^text\/html$|[/+]xml$/.test(type) ? escapeMarkup : (value) => value;
}

const MARKUP: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escapeMarkup = (value: string): string => value.replace(/[&<>"']/g, (character) => MARKUP[character] ?? '');

export class ErrorPage {
  readonly type: string;
  readonly mediaType: string;
  readonly #facts: PageFacts;
  readonly #template: Template<Failed> & { readonly ok: true };

  /** Throws a plain Error that teaches when the text is no page. */
  constructor(facts: PageFacts, text: string) {
    this.type = facts.type;
    this.mediaType = mediaTypeOf(facts.type);
    this.#facts = facts;
    const template = pageTemplate(text, facts.type);
    if (!template.ok) throw new Error(`errorPages: ${template.problem}`);
    this.#template = template;
  }

  /** How much it is for this error: 3 for its code, 2 for its status, 1 for all errors, 0 not at all. */
  meant(code: string, status: number): number {
    const { codes, statuses } = this.#facts;
    if (codes.includes(code)) return 3;
    if (statuses !== null) return statuses.some(({ from, to }) => status >= from && status <= to) ? 2 : 0;
    return codes.length === 0 && status >= 400 ? 1 : 0;
  }

  fill(request: CanonicalRequest, head: Readonly<ResponseHead>): string {
    return this.#template.fill({ request, head });
  }
}
