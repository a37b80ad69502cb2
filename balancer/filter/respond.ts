// Filter respond: an answer of the file's own, such as a page while nobody is there; the service is not asked.
import { Type, type Static } from '../schema/type.ts';
import { mapping } from '../config/schema-parts.ts';
import type { FilterDefinition } from './filter.ts';

const MOST_BYTES = 65_536;

const schema = mapping(
  {
    status: Type.Integer({ minimum: 200, maximum: 599, default: 200, description: 'Status' }),
    body: Type.String({ default: '', maxLength: MOST_BYTES, description: 'Body, as UTF-8' }),
    contentType: Type.String({
      default: 'text/plain; charset=utf-8',
      maxLength: 255,
      pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+/[\\t\\x20-\\x7e]+$",
      description: 'Type of the body',
    }),
  },
  'Options of respond',
);

/** Statuses whose answers have no body (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

export const respond: FilterDefinition = {
  name: 'respond',
  summary: 'Answers in place of the service.',
  schema,
  example: '{ status: 503, body: "We are back at noon." }',
  problem(options) {
    const { status, body } = options as Static<typeof schema>;
    return BODILESS.has(status) && body !== ''
      ? `respond: an answer ${status} has no body; leave body out, or choose another status`
      : null;
  },
  create(options) {
    const { status, body, contentType } = options as Static<typeof schema>;
    const fields = body === '' ? [] : ['content-type', contentType];
    return { onRequest: () => ({ status, fields: [...fields], body }) };
  },
};
