// What the file says of edits of JSON bodies, and what becomes of it.
import { Type, type Static } from '../../schema/type.ts';
import type { OptionsPlace } from '../../config/extension.ts';
import type { ValuePath } from '../../config/problems.ts';
import { parseSize } from '../../config/quantities.ts';
import { choice, listOf, mapping, valueOf } from '../../config/schema-parts.ts';
import { fieldVocabulary, type FieldSource } from '../request-values.ts';
import { compileTemplate } from '../template.ts';
import { Edits, type Edit } from './edits.ts';
import { readPointer, type Pointer } from './pointer.ts';

export type Side = 'request' | 'response';

const place = (description: string) => Type.String({ maxLength: 1024, description });
const WHICH = 'JSON pointer; `*` is every member or element, `**` any number of levels';

const edits = (what: Side) =>
  mapping(
    {
      remove: listOf(place('Place'), 'Members and elements that are dropped', { default: [] }),
      mask: listOf(place('Place'), 'Values that are masked, whatever they are', { default: [] }),
      maskWith: Type.String({ maxLength: 256, default: '***', description: 'Text that stands in place of them' }),
      rename: listOf(
        mapping(
          { at: place(WHICH), to: Type.String({ minLength: 1, maxLength: 256, description: 'Its name from then on' }) },
          'A member that gets another name',
        ),
        'Members that get another name',
        { default: [] },
      ),
      set: listOf(
        mapping(
          {
            at: place(`${WHICH}; \`-\` as the last part is behind the last element of a list`),
            value: Type.Unsafe<unknown>({
              type: ['string', 'number', 'boolean', 'null', 'array', 'object'],
              description: 'Any value; a text may tell of the request, as those of [headers](headers.md): `${claims.sub}`',
            }),
            when: choice(['always', 'absent', 'present'], 'Whether it is added, put in place of what is there, or both', 'always'),
          },
          'A value that is set; what it would stand in must be there',
        ),
        'Values that are set',
        { default: [] },
      ),
      ignoreCase: Type.Boolean({
        default: false,
        description: 'Whether names that differ in case alone are one, as some readers (Go) take them',
      }),
      otherTypes: choice(
        ['refuse', 'pass'],
        'What becomes of bodies whose `content-type` is not JSON; one without a type is read as JSON',
        what === 'request' ? 'refuse' : 'pass',
      ),
      maxSize: valueOf('size', 'The largest body, once its content coding is undone', '10MiB'),
      maxDepth: Type.Integer({
        minimum: 1,
        maximum: 1000,
        default: 64,
        description: 'How deep mappings and lists may stand in each other',
      }),
    },
    `What is changed in the ${what}`,
  );

export const schema = mapping(
  { request: Type.Optional(edits('request')), response: Type.Optional(edits('response')) },
  'Options of jsonBody',
  { minProperties: 1, expected: 'at least one of request and response' },
);

export type JsonBodyFile = Static<typeof schema>;
export type SideFile = NonNullable<JsonBodyFile['request']>;

/** Of one side, ready for bodies. */
export interface SideRules {
  readonly edits: Edits<FieldSource>;
  readonly mask: string;
  readonly refusesOthers: boolean;
  readonly maxBytes: number;
  readonly depth: number;
}

export function checkSide(side: Side, file: SideFile, { report }: Pick<OptionsPlace, 'report'>): void {
  const at = (...path: readonly (string | number)[]): ValuePath => [side, ...path];
  const { remove, rename, set } = file;
  const places = [
    ...(['remove', 'mask'] as const).flatMap((key) => file[key].map((text, index) => ({ text, path: at(key, index) }))),
    ...(['rename', 'set'] as const).flatMap((key) => file[key].map((one, index) => ({ text: one.at, path: at(key, index, 'at') }))),
  ];
  if (places.length === 0) report([side], 'nothing is to be changed; expected at least one of remove, mask, rename and set');
  for (const { text, path } of places) {
    const read = readPointer(text);
    if (!read.ok) report(path, read.problem);
  }
  for (const [index, text] of remove.entries())
    if (text === '') report(at('remove', index), 'the whole body cannot be removed; name a part of it, such as /user/email');
  for (const [index, { at: text }] of rename.entries())
    if (text === '' || text.endsWith('/*')) report(at('rename', index, 'at'), 'only a member can be renamed; name it: /user/email');
  for (const [index, { value }] of set.entries()) {
    const template = typeof value === 'string' ? compileTemplate(value, fieldVocabulary(side === 'response')) : null;
    if (template?.ok === false) report(at('set', index, 'value'), template.problem);
  }
}

export function rulesOf(side: Side, file: SideFile): SideRules {
  const { remove, mask, rename, set, ignoreCase } = file;
  const edits: readonly Edit<FieldSource>[] = [
    ...remove.map((at): Edit<FieldSource> => ({ kind: 'remove', at: pointerOf(at) })),
    ...mask.map((at): Edit<FieldSource> => ({ kind: 'mask', at: pointerOf(at) })),
    ...rename.map(({ at, to }): Edit<FieldSource> => ({ kind: 'rename', at: pointerOf(at), to })),
    ...set.map(({ at, value, when }): Edit<FieldSource> => ({ kind: 'set', at: pointerOf(at), when, valueFor: valueFor(side, value) })),
  ];
  return {
    edits: new Edits(edits, ignoreCase),
    mask: JSON.stringify(file.maskWith),
    refusesOthers: file.otherTypes === 'refuse',
    maxBytes: parseSize(file.maxSize) ?? Infinity,
    depth: file.maxDepth,
  };
}

function pointerOf(text: string): Pointer {
  const read = readPointer(text);
  if (!read.ok) throw new Error(`jsonBody: ${read.problem}`);
  return read.pointer;
}

function valueFor(side: Side, value: unknown): (from: FieldSource) => string {
  const text = JSON.stringify(value);
  if (typeof value !== 'string') return () => text;
  const template = compileTemplate(value, fieldVocabulary(side === 'response'));
  if (!template.ok) throw new Error(`jsonBody: ${template.problem}`);
  const { fixed } = template;
  if (fixed === null) return (from) => JSON.stringify(template.fill(from));
  const written = JSON.stringify(fixed);
  return () => written;
}
