// What leaves the host in a support archive: without secrets, whatever they are called and wherever somebody has put them. Pure.

export const REDACTED = '[redacted]';

/** Names of fields whose values are secret; what only says where a secret is (`tokenFile`, `keyFile`) is not. */
const SECRET_NAME = /(secret|passw|token|authorization|cookie|credential|api-?key|private|pepper|(^|[-_.])key$|signature|hash$|^hash)/i;
const REFERENCE_NAME = /(file|env|name|id|hashes)$/i;

/** A value of JSON with every secret replaced. */
export function redactJson(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => redactJson(item, name));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([field, item]) => [field, redactJson(item, field)]));
  }
  if (typeof value !== 'string') return value;
  return isSecret(name) && value !== '' ? REDACTED : redactText(value);
}

function isSecret(name: string): boolean {
  return SECRET_NAME.test(name) && !REFERENCE_NAME.test(name);
}

/** Shapes that are secret wherever they stand. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?-----END [A-Z ]*PRIVATE KEY-----/g, REDACTED],
  [/\b(weir_[A-Za-z0-9]+)_[A-Za-z0-9_-]{8,}/g, `$1_${REDACTED}`],
  [/\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g, REDACTED],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`],
  [/(:\/\/)[^\s/@:]+:[^\s/@]+@/g, `$1${REDACTED}@`],
  [/([?&][^=&\s"']{1,60}=)[^&\s"']+/g, `$1${REDACTED}`],
];

/** Free text: events, reasons, addresses. */
export function redactText(text: string): string {
  return SHAPES.reduce((clean, [shape, replacement]) => clean.replace(shape, replacement), text);
}

/** A config as text: lines `name: value` whose name says that the value is secret; block scalars under such a name whole. */
export function redactYaml(text: string): string {
  let secretIndent: number | null = null;
  const lines = text.split('\n').map((line) => {
    const indent = line.length - line.trimStart().length;
    if (secretIndent !== null) {
      if (line.trim() === '' || indent > secretIndent) return line.trim() === '' ? line : `${' '.repeat(indent)}${REDACTED}`;
      secretIndent = null;
    }
    const [, before = '', name = '', value = ''] = /^(\s*(?:- )?)["']?([\w.-]+)["']?:\s*(.*)$/.exec(line) ?? [];
    if (name === '' || !isSecret(name)) return redactFlow(line);
    if (/^[|>]/.test(value)) {
      secretIndent = indent;
      return line;
    }
    // A reference says where the secret is, and a mapping below has names of its own.
    return value === '' || /^\{\s*(file|env):/.test(value) ? line : `${before}${name}: ${REDACTED}`;
  });
  return redactText(lines.join('\n'));
}

/** `{ user: x, password: y }` on one line. */
function redactFlow(line: string): string {
  return line.replace(/(["']?)([\w.-]+)\1:\s*("[^"]*"|'[^']*'|[^\s,{}[\]]+)/g, (whole, _quote: string, name: string) =>
    isSecret(name) ? `${name}: ${REDACTED}` : whole,
  );
}
