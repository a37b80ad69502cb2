// Filter headers: renames, sets, adds, appends and removes fields of request and response; values may tell of the request.
import { Type, type Static } from '../schema/type.ts';
import { listOf, mapping, named, optionalMapping, valueOf } from '../config/schema-parts.ts';
import { fieldIndex, removeField, setField, type Fields } from '../message/fields.ts';
import type { FilterDefinition } from './filter.ts';
import { fieldVocabulary, type FieldSource } from './request-values.ts';
import { compileTemplate, type Template } from './template.ts';

/** Visible characters, spaces and tabs: whatever else could end the field early (RFC 9110 section 5.5). */
const value = Type.String({
  pattern: '^[\\t\\x20-\\x7e\\x80-\\xff]*$',
  description: 'Value',
  what: 'a value of a field',
  expected: 'visible characters of one byte, spaces and tabs; a line end would begin another field',
});

const values = (description: string) => named('fieldName', value, { default: {}, description });

const edits = (what: string) =>
  optionalMapping(
    {
      rename: named('fieldName', valueOf('fieldName', 'Another name'), {
        default: {},
        description: `Fields of the ${what} that get another name`,
      }),
      set: values(`Fields of the ${what} to set, in place of any of that name`),
      add: values(`Fields of the ${what} to add, beside any of that name`),
      append: values(`Members to append to the list that is the value of a field of the ${what}; a field that is not there is set`),
      remove: listOf(valueOf('fieldName', 'Name'), `Names of fields of the ${what} to remove`, { default: [] }),
    },
    `Edits of the ${what}, in this order: remove, rename, set, add, append`,
  );

const schema = mapping({ request: edits('request'), response: edits('response') }, 'Options of headers');

type Options = Static<typeof schema>;
type Edits = Options['request'];

/** Fields that frame or route a message; changing them here would let what is sent differ from what was decided. */
const RESERVED = new Set(['connection', 'content-length', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);
/** Its values have commas of their own (RFC 6265 section 3). */
const NO_LIST = 'set-cookie';

const FILLED = ['set', 'add', 'append'] as const;

const namesOf = ({ rename, set, add, append, remove }: Edits): readonly string[] =>
  [...Object.keys(rename), ...Object.values(rename), ...Object.keys(set), ...Object.keys(add), ...Object.keys(append), ...remove].map(
    (name) => name.toLowerCase(),
  );

export const headers: FilterDefinition = {
  name: 'headers',
  summary: 'Renames, sets, adds, appends and removes header fields of request and response.',
  schema,
  example: '{ request: { set: { x-caller: "${consumer} at ${client.address}" } }, response: { remove: [server] } }',
  notes: [
    `Values may tell of the request: ${fieldVocabulary(false)
      .names.map((name) => `\`\${${name}}\``)
      .join(', ')}; those of the response also \`\${response.status}\`. ` +
      'A name that stands for nothing is an error of the file; `$${` stands for `${` itself. `header`, `cookie` and `query` are as they came, ' +
      '`path.1` is the first element of the path, `claims` are those of a token that `authenticate` has checked.',
    'What a request does not have is empty there, and so is what cannot stand in a field: a value with a line end, another control character or a character ' +
      'of more than one byte. A value that comes out empty as a whole sets, adds and appends nothing; what stood under the name of `set` is gone all the same.',
  ],
  problem(options) {
    const { request, response } = options as Options;
    const reserved = [...namesOf(request), ...namesOf(response)].find((name) => RESERVED.has(name));
    return reserved === undefined ? null : `headers: "${reserved}" belongs to the message framing and cannot be edited; leave it out`;
  },
  complete(options, place) {
    const given = options as Options;
    for (const side of ['request', 'response'] as const)
      for (const how of FILLED)
        for (const [name, text] of Object.entries(given[side][how])) {
          const template = templateOf(text, side);
          if (!template.ok) place.report([side, how, name], template.problem);
          if (how === 'append' && name.toLowerCase() === NO_LIST)
            place.report([side, how, name], `"${name}" is not a list; write it under add`);
        }
    return options;
  },
  create(options) {
    const { request, response } = options as Options;
    const editRequest = compile(request, 'request');
    const editResponse = compile(response, 'response');
    return {
      ...(editRequest === null
        ? {}
        : {
            ownFields: [...Object.keys(request.set), ...request.remove].map((name) => name.toLowerCase()),
            onRequest(canonical) {
              editRequest(canonical.fields, { request: canonical, response: null });
              return undefined;
            },
          }),
      ...(editResponse === null
        ? {}
        : { onResponse: (canonical, head) => editResponse(head.fields, { request: canonical, response: head }) }),
    };
  },
};

const templateOf = (text: string, side: 'request' | 'response'): Template<FieldSource> =>
  compileTemplate(text, fieldVocabulary(side === 'response'));

type Edit = (fields: Fields, from: FieldSource) => void;

/** Null: there is nothing to edit. */
function compile(edits: Edits, side: 'request' | 'response'): Edit | null {
  const lists = FILLED.map((how) => [how, Object.entries(edits[how]).map(([name, text]) => filling(name, text, side))] as const);
  const filled = new Map(lists);
  const [set = [], add = [], append = []] = FILLED.map((how) => filled.get(how) ?? []);
  const remove = edits.remove.map((name) => name.toLowerCase());
  const renamed = new Map(Object.entries(edits.rename).map(([from, to]) => [from.toLowerCase(), to.toLowerCase()]));
  if (remove.length + renamed.size + set.length + add.length + append.length === 0) return null;
  return (fields, from) => {
    for (const name of remove) removeField(fields, name);
    // In one pass, so that two fields can change their names with each other.
    if (renamed.size > 0) for (let i = 0; i < fields.length; i += 2) fields[i] = renamed.get(fields[i] ?? '') ?? fields[i] ?? '';
    for (const { name, fill } of set) {
      removeField(fields, name);
      push(fields, name, fill(from));
    }
    for (const { name, fill } of add) push(fields, name, fill(from));
    for (const { name, fill } of append) appendTo(fields, name, fill(from));
  };
}

interface Filling {
  readonly name: string;
  /** Null: there is nothing to say. */
  readonly fill: (from: FieldSource) => string | null;
}

function filling(name: string, text: string, side: 'request' | 'response'): Filling {
  const template = templateOf(text, side);
  if (!template.ok) throw new Error(`headers: ${template.problem}`);
  const { fixed } = template;
  return { name: name.toLowerCase(), fill: fixed === null ? (from) => template.fill(from).trim() || null : () => fixed };
}

function push(fields: Fields, name: string, text: string | null): void {
  if (text !== null) fields.push(name, text);
}

function appendTo(fields: Fields, name: string, text: string | null): void {
  const at = fieldIndex(fields, name);
  if (text === null) return;
  if (at < 0 || fields[at] === '') setField(fields, name, text);
  else fields[at] = `${fields[at] ?? ''}, ${text}`;
}
