// Filter csrf: requests that change something come from pages of the own origin, or of origins that are named.
import type { Static } from '../schema/type.ts';
import { listOf, mapping, valueOf } from '../config/schema-parts.ts';
import { fieldValue } from '../message/fields.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { FilterDefinition, Refusal } from './filter.ts';
import { originTable } from './origins.ts';

/** RFC 9110 section 9.2.1. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

const schema = mapping(
  { origins: listOf(valueOf('origin', 'Origin'), 'Origins besides the own one whose pages may, as in cors', { default: [] }) },
  'Options of csrf',
);

export const csrf: FilterDefinition = {
  name: 'csrf',
  summary: 'Refuses requests that change something and come from pages of other origins.',
  schema,
  example: '{ origins: ["https://admin.example.com"] }',
  answers: ['cross_origin'],
  create(options) {
    const isAllowed = originTable((options as Static<typeof schema>).origins);
    return {
      onRequest(request) {
        if (SAFE.has(request.method) && request.otherMethods.every((method) => SAFE.has(method))) return undefined;
        const origin = fieldValue(request.fields, 'origin');
        if (origin !== undefined) return isOwn(request, origin) || isAllowed(origin) ? undefined : refused(`the page is of ${origin}`);
        // A browser that hides the origin still says whether it is another one; what is no browser says neither.
        const site = fieldValue(request.fields, 'sec-fetch-site');
        return site === undefined || site === 'same-origin' || site === 'none' ? undefined : refused(`sec-fetch-site is ${site}`);
      },
    };
  },
};

const isOwn = ({ scheme, authority }: CanonicalRequest, origin: string): boolean =>
  origin.toLowerCase() === `${scheme}://${authority.toLowerCase()}`;

const refused = (why: string): Refusal => ({ code: 'cross_origin', detail: `a request of another origin: ${why}`, fields: [] });
