// Parameters of credentials in `Authorization`: `name="value", name="value"` (RFC 9110 section 11.4).

const PARAMETER = /\s*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(?:"([^"\\]*)"|([!#$%&'*+.^_`|~0-9A-Za-z/=-]+))\s*(?:,|$)/y;

/** By name, in lower case. Null: something else stands there, or a name twice. */
export function authParameters(text: string): ReadonlyMap<string, string> | null {
  const found = new Map<string, string>();
  PARAMETER.lastIndex = 0;
  while (PARAMETER.lastIndex < text.length) {
    const { 1: name, 2: quoted, 3: plain } = PARAMETER.exec(text) ?? [];
    if (name === undefined || found.has(name.toLowerCase())) return null;
    found.set(name.toLowerCase(), quoted ?? plain ?? '');
  }
  return found;
}
