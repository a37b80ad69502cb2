// Filter errorPages: errors as the file words them, for what weir answers itself and for statuses of the service that are named.
import { readFileSync } from 'node:fs';
import { Type, type Static } from '../../schema/type.ts';
import { parseStatuses } from '../../config/addresses.ts';
import { formsOf, listOf, mapping, valueOf } from '../../config/schema-parts.ts';
import { ERRORS } from '../../errors.ts';
import { removeField } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { ResponseHead } from '../../message/response.ts';
import type { BodyTransform, FilterDefinition } from '../filter.ts';
import { nearest } from '../../config/nearest.ts';
import { ErrorPage, PAGE_NAMES, pageTemplate, type PageFacts, type StatusRange } from './page.ts';
import { PageChoice } from './page-choice.ts';

const MOST_BYTES = 65_536;

const page = mapping(
  {
    codes: Type.Optional(
      listOf(Type.String({ description: 'Code', pattern: '^[a-z_]+$' }), 'Codes of errors of weir that the page is for', { minItems: 1 }),
    ),
    statuses: Type.Optional(
      formsOf<string | number | string[]>('statuses', 'Statuses that the page is for; absent, as codes are: all from 400 on'),
    ),
    type: valueOf('contentType', 'Type of the page', 'text/html; charset=utf-8'),
    template: Type.Optional(Type.String({ maxLength: MOST_BYTES, description: 'The page itself, as UTF-8' })),
    file: Type.Optional(valueOf('file', `File that holds the page, read when the config is loaded; at most ${MOST_BYTES} bytes`)),
  },
  'A page: what it is for, and either template or file',
);

const schema = mapping(
  {
    pages: listOf(page, 'Pages; one for a code goes before one for a status, and that before one for all', { minItems: 1 }),
    upstream: Type.Optional(
      formsOf<string | number | string[]>('statuses', 'Statuses of the service whose answers are replaced too; absent: none'),
    ),
  },
  'Options of errorPages',
);

type Options = Static<typeof schema>;

export const errorPages: FilterDefinition = {
  name: 'errorPages',
  summary: 'Words errors as the file says: those of weir and, where asked for, those of the service.',
  schema,
  example:
    '{ upstream: "502-504", pages: [{ statuses: "500-599", template: "<h1>${title}</h1><p>Tell us ${request.id}</p>" }, { codes: [rate_limited], type: application/json, template: "{\\"slow down\\": \\"${request.id}\\"}" }] }',
  notes: [
    `A page may hold ${PAGE_NAMES.map((name) => `\`\${${name}}\``).join(', ')} and nothing else of the request; \`$\${\` stands for \`\${\` itself. Values are escaped for HTML and XML, ` +
      'and as parts of strings in JSON. The title is that of [the error](../errors.md), or the usual phrase for a status of the service.',
    'Which page a client gets is said by its `Accept`: the best weight, then the most exact range, then a page for the code before one for the status before one for all, then the ' +
      'order of the file. The answer that weir would give without a page takes part, behind all of them: a client that asks for JSON does not get a page in HTML, and one that ' +
      'does not care gets the first page. Calls of gRPC keep their status. The status stays as it is, and so do other fields, such as `retry-after`.',
    'Answers of the service are replaced whole: what tells of their body (`etag`, `content-encoding` and so on) goes with it, and the page is not stored by caches. ' +
      'An answer of [respond](respond.md) with a status from 400 on and no body gets a page too. A request for which there is no route has no filters: declare a last ' +
      'route without hosts that answers 404 by `respond`.',
  ],
  complete(options, place) {
    const { pages, upstream } = options as Options;
    const complete = pages.map((one, index) => {
      const { codes = [], statuses, type, template, file } = one;
      codes.forEach((code, at) => {
        if (!Object.hasOwn(ERRORS, code)) place.report(['pages', index, 'codes', at], unknownCode(code));
      });
      if ((template === undefined) === (file === undefined))
        place.report(['pages', index], 'expected either template, the page itself, or file, where it is');
      const source = file === undefined ? { template: template ?? '' } : { file: place.readableFile(['pages', index, 'file'], file) };
      const problem = 'file' in source ? fileProblem(place.textOf(source.file), type) : templateProblem(source.template, type);
      if (problem !== null) place.report(['pages', index, file === undefined ? 'template' : 'file'], problem);
      return { codes, statuses: statuses === undefined ? null : parseStatuses(statuses), type, ...source };
    });
    const ranges = upstream === undefined ? [] : (parseStatuses(upstream) ?? []);
    if (ranges.some(({ from }) => from < 400))
      place.report(
        ['upstream'],
        'answers below 400 are no errors, and some of them have no body; expected statuses from 400 on, for example 502-504',
      );
    return { pages: complete, upstream: ranges };
  },
  create(options) {
    const { pages, upstream } = options as Complete;
    const choice = new PageChoice(pages.map((one) => new ErrorPage(one, textOf(one))));
    const replaced = new WeakMap<CanonicalRequest, Buffer>();
    const isReplaced = (status: number): boolean => upstream.some(({ from, to }) => status >= from && status <= to);
    return {
      onResponse(request, head) {
        const { own } = head;
        if (own === undefined ? !isReplaced(head.status) : own.code === '' && (head.status < 400 || own.body !== '')) return;
        const chosen = choice.of(request, head);
        if (chosen === null) return;
        const text = chosen.fill(request, head);
        dropBodyFields(head);
        head.fields.push('content-type', chosen.type);
        if (own !== undefined) own.body = text;
        else {
          const bytes = Buffer.from(text);
          removeField(head.fields, 'cache-control');
          head.fields.push('cache-control', 'no-store');
          head.bodyLength = bytes.length;
          replaced.set(request, bytes);
        }
      },
      onResponseBody(request) {
        const bytes = replaced.get(request);
        return bytes === undefined ? null : new Instead(bytes);
      },
    };
  },
};

function templateProblem(text: string, type: string): string | null {
  const compiled = pageTemplate(text, type);
  return compiled.ok ? null : compiled.problem;
}

/** `text` null: it cannot be read, which is told already. */
function fileProblem(text: string | null, type: string): string | null {
  if (text === null) return null;
  const bytes = Buffer.byteLength(text);
  return bytes > MOST_BYTES ? `has ${bytes} bytes; expected at most ${MOST_BYTES}` : templateProblem(text, type);
}

/** As worked out by `complete`. */
interface Complete {
  readonly pages: readonly (PageFacts & ({ readonly template: string } | { readonly file: string }))[];
  readonly upstream: readonly StatusRange[];
}

function textOf(page: Complete['pages'][number]): string {
  if ('template' in page) return page.template;
  let bytes: Buffer;
  try {
    bytes = readFileSync(page.file);
  } catch (error) {
    throw new Error(`errorPages: ${page.file} cannot be read: ${String(error)}`, { cause: error });
  }
  if (bytes.length > MOST_BYTES) throw new Error(`errorPages: ${page.file} has ${bytes.length} bytes; expected at most ${MOST_BYTES}`);
  return bytes.toString('utf8');
}

function unknownCode(code: string): string {
  const meant = nearest(code, Object.keys(ERRORS));
  return `there is no error "${code}"; ${meant === null ? 'docs/errors.md lists them' : `did you mean "${meant}"?`}`;
}

/** What would not be true of another body. */
const OF_BODY: readonly string[] = [
  'content-type',
  'content-encoding',
  'content-language',
  'content-location',
  'content-disposition',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
  'digest',
  'content-digest',
  'repr-digest',
  'content-md5',
];

function dropBodyFields({ fields }: ResponseHead): void {
  for (const name of OF_BODY) removeField(fields, name);
}

/** Another body in place of the one that comes. */
class Instead implements BodyTransform {
  readonly #bytes: Buffer;
  #sent = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  push(): Buffer {
    if (this.#sent) return EMPTY;
    this.#sent = true;
    return this.#bytes;
  }

  end(): { readonly bytes: Buffer; readonly trailers: [] } {
    return { bytes: this.push(), trailers: [] };
  }
}

const EMPTY = Buffer.alloc(0);
