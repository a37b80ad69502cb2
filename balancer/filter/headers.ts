// Filter headers: sets, adds and removes fields of request and response.
import { Type, type Static } from '../schema/type.ts';
import { removeField, setField, type Fields } from '../message/fields.ts';
import type { FilterDefinition } from './filter.ts';

const FIELD_NAME = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
/** Visible characters, spaces and tabs: whatever else could end the field early (RFC 9110 section 5.5). */
const FIELD_VALUE = '^[\\t\\x20-\\x7e\\x80-\\xff]*$';

const values = (description: string) =>
  Type.Record(Type.String({ pattern: FIELD_NAME }), Type.String({ pattern: FIELD_VALUE }), { default: {}, description });

const edits = (what: string) =>
  Type.Object(
    {
      set: values(`Fields of the ${what} to set, in place of any of that name`),
      add: values(`Fields of the ${what} to add`),
      remove: Type.Array(Type.String({ pattern: FIELD_NAME }), { default: [], description: `Names of fields of the ${what} to remove` }),
    },
    { additionalProperties: false, default: {}, description: `Edits of the ${what}` },
  );

const schema = Type.Object(
  { request: edits('request'), response: edits('response') },
  { additionalProperties: false, description: 'Options of headers' },
);

type Edits = Static<typeof schema>['request'];

/** Fields that frame or route a message; changing them here would let what is sent differ from what was decided. */
const RESERVED = new Set(['connection', 'content-length', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

const namesOf = ({ set, add, remove }: Edits): readonly string[] =>
  [...Object.keys(set), ...Object.keys(add), ...remove].map((name) => name.toLowerCase());

function compile(edits: Edits): (fields: Fields) => void {
  const lower = (names: Readonly<Record<string, string>>) =>
    Object.entries(names).map(([name, value]) => [name.toLowerCase(), value] as const);
  const set = lower(edits.set);
  const add = lower(edits.add);
  const remove = edits.remove.map((name) => name.toLowerCase());
  return (fields) => {
    for (const name of remove) removeField(fields, name);
    for (const [name, value] of set) setField(fields, name, value);
    for (const [name, value] of add) fields.push(name, value);
  };
}

export const headers: FilterDefinition = {
  name: 'headers',
  summary: 'Sets, adds and removes header fields of request and response.',
  schema,
  example: '{ request: { set: { x-edge: "1" } }, response: { remove: [server] } }',
  problem(options) {
    const { request, response } = options as Static<typeof schema>;
    const reserved = [...namesOf(request), ...namesOf(response)].find((name) => RESERVED.has(name));
    return reserved === undefined ? null : `headers: "${reserved}" belongs to the message framing and cannot be edited; leave it out`;
  },
  create(options) {
    const { request, response } = options as Static<typeof schema>;
    const editRequest = compile(request);
    const editResponse = compile(response);
    return {
      onRequest(canonical) {
        editRequest(canonical.fields);
        return undefined;
      },
      onResponse(_request, head) {
        editResponse(head.fields);
      },
    };
  },
};
