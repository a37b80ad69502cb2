// The one schema of `weir.yaml`: validation, defaults, static types, the reference page and the JSON Schema all come from it.
import { Type, type Static } from '../schema/type.ts';
import type { ConfigExtensions } from './extension.ts';
import { fleetProperties } from './schema-fleet.ts';
import { hostProperties } from './schema-host.ts';
import { mapping } from './schema-parts.ts';

/** A property with a default may be left out of the file; after validation it is there. */
export function fileSchema(extensions: ConfigExtensions) {
  return mapping(
    {
      version: Type.Literal(1, { description: 'Version of this format', what: 'a version of the format', expected: '1' }),
      ...hostProperties,
      ...fleetProperties(extensions),
    },
    'Configuration of weir',
  );
}

/** The file with all defaults filled in. */
export type ConfigFile = Static<ReturnType<typeof fileSchema>>;
