// What a schema says, as tables of Markdown: one for each mapping, with the form, default and meaning of its keys.
import { withoutDefaults } from './json-schema.ts';
import { isKindName, KINDS } from './kinds.ts';

interface Written {
  readonly table: string | null;
  /** The section of the mapping itself, then those of the mappings inside. */
  readonly sections: readonly string[];
}

/** The mapping of the schema and those inside; `path` is how its place is written, empty for the file itself. */
export function schemaTables(path: string, schema: object): Written {
  const properties = Object.entries(partOf(schema, 'properties')).map(([name, value]: [string, object]) => [name, value] as const);
  const required = new Set(withoutDefaults(schema, Reflect.get(schema, 'required')));
  if (properties.length === 0) return { table: null, sections: [] };
  const rows = properties.map(([name, value]) => row(name, value, required.has(name)));
  const table = ['| key | form | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
  const inner = properties.flatMap(([name, value]) => {
    const [ending, part] = inside(value);
    return name === 'filters' ? [] : schemaTables(`${path === '' ? '' : `${path}.`}${name}${ending}`, part).sections;
  });
  const title = path === '' ? '## The file' : `## ${path.replaceAll('<', '\\<')}`;
  return { table, sections: [`${title}\n\n${textOf(schema, 'description') ?? ''}\n\n${table}`, ...inner] };
}

/** The mapping a value holds, and how its place is written. */
function inside(schema: object): readonly [ending: string, part: object] {
  const named = partOf(schema, 'additionalProperties');
  if ('properties' in named) return ['.<name>', named];
  const items = partOf(schema, 'items');
  return 'properties' in items ? ['[]', items] : ['', schema];
}

function row(name: string, schema: object, required: boolean): string {
  const written: unknown = Reflect.get(schema, 'default');
  const isMapping = typeof written === 'object' && written !== null && Object.keys(written).length === 0;
  const defaultText = required
    ? '**required**'
    : written === undefined || isMapping
      ? ''
      : `\`${JSON.stringify(written).replaceAll('"', '')}\``;
  return `| \`${name}\` | ${cell(formOf(schema))} | ${defaultText} | ${cell(textOf(schema, 'description') ?? '')} |`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function formOf(schema: object): string {
  const kind = textOf(schema, 'kind');
  if (kind !== null && isKindName(kind)) return KINDS[kind].what.replace(/^an? /, '');
  const choices: unknown = Reflect.get(schema, 'enum') ?? Reflect.get(schema, 'const') ?? literalsOf(schema);
  if (choices !== undefined) return (Array.isArray(choices) ? choices : [choices]).map((choice) => `\`${String(choice)}\``).join(', ');
  const type: unknown = Reflect.get(schema, 'type');
  const types = (Array.isArray(type) ? type : [type]).map((part) => TYPE_WORDS.get(String(part)) ?? 'value');
  return types.join(' or ');
}

/** Of a choice of single values; undefined: it is none. */
function literalsOf(schema: object): readonly unknown[] | undefined {
  const forms: unknown = Reflect.get(schema, 'anyOf');
  if (!Array.isArray(forms)) return undefined;
  const literals = forms.map((form: unknown): unknown =>
    typeof form === 'object' && form !== null ? Reflect.get(form, 'const') : undefined,
  );
  return literals.includes(undefined) ? undefined : literals;
}

const TYPE_WORDS: ReadonlyMap<string, string> = new Map([
  ['object', 'mapping'],
  ['array', 'list'],
  ['string', 'text'],
  ['integer', 'whole number'],
  ['number', 'number'],
  ['boolean', '`true` or `false`'],
]);

function partOf(holder: object, key: string): object {
  const value: unknown = Reflect.get(holder, key);
  return typeof value === 'object' && value !== null ? value : {};
}

function textOf(holder: object, key: string): string | null {
  const value: unknown = Reflect.get(holder, key);
  return typeof value === 'string' ? value : null;
}
