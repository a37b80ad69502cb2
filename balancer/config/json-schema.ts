// The schema of the file as JSON Schema for editors: completion, hover texts and first checks while typing.
import type { ConfigExtensions } from './extension.ts';
import { isKindName, KINDS, type Kind } from './kinds.ts';
import { fileSchema } from './schema.ts';

/** What only our own messages use. */
const OUR_KEYWORDS: readonly string[] = ['what', 'expected', 'kind'];
/** Values, not schemas: they stay as they are. */
const LITERALS: readonly string[] = ['default', 'enum', 'const', 'required', 'description'];

/** Draft 7, which editors know best. Plain JSON. */
export function editorSchema(extensions: ConfigExtensions): Readonly<Record<string, unknown>> {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'weir.yaml',
    ...forEditors(fileSchema(extensions)),
  };
}

function forEditors(schema: object): Record<string, unknown> {
  const entries = Object.entries(schema).map(([keyword, part]: [string, unknown]) => [keyword, part] as const);
  const result: Record<string, unknown> = { ...kindKeywords(Reflect.get(schema, 'kind')) };
  for (const [keyword, part] of entries) {
    if (keyword === 'required') {
      const required = withoutDefaults(schema, part);
      if (required.length > 0) result[keyword] = required;
    } else if (keyword === 'properties' || keyword === 'patternProperties') {
      result[keyword] = Object.fromEntries(Object.entries(part ?? {}).map(([name, value]: [string, object]) => [name, forEditors(value)]));
    } else if (!isOurKeyword(keyword, part)) {
      result[keyword] = LITERALS.includes(keyword) ? part : nested(part);
    }
  }
  return result;
}

/** A property of the file may be called `kind`; as a keyword it is always the name of one. */
function isOurKeyword(keyword: string, part: unknown): boolean {
  return OUR_KEYWORDS.includes(keyword) && typeof part === 'string';
}

function nested(part: unknown): unknown {
  if (Array.isArray(part)) return part.map((item: unknown) => nested(item));
  return typeof part === 'object' && part !== null ? forEditors(part) : part;
}

function kindKeywords(name: unknown): Record<string, unknown> {
  if (typeof name !== 'string' || !isKindName(name)) return {};
  const kind: Kind = KINDS[name];
  const [only] = kind.types;
  return { type: kind.types.length === 1 ? only : kind.types, ...(kind.pattern === undefined ? {} : { pattern: kind.pattern }) };
}

/** What has a default may be left out of the file. */
export function withoutDefaults(schema: object, required: unknown): readonly string[] {
  const properties: unknown = Reflect.get(schema, 'properties');
  const names = Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];
  return names.filter((name) => {
    const property: unknown = typeof properties === 'object' && properties !== null ? Reflect.get(properties, name) : undefined;
    return !(typeof property === 'object' && property !== null && 'default' in property);
  });
}
