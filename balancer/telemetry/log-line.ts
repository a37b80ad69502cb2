// A line of the access log, as the config wants it: what is not to be told is taken out before anything is written. Pure.
import type { AccessLogConfig, FormatPart } from '../config/telemetry-config.ts';
import type { Fields } from '../message/fields.ts';
import type { AccessLogEntry } from './access-log.ts';

/** With its line end. */
export type LineMaker = (entry: AccessLogEntry, fields: Readonly<Fields>) => string;

/** Of fields, which clients can make as long as a head may be. */
const MAX_FIELD_CHARS = 512;

/** Made once for a config, so that what it does not ask for costs no line anything. */
export function lineMaker(config: AccessLogConfig): LineMaker {
  const { format, fields: names } = config;
  const redact = redaction(config.redact);
  const said = (entry: AccessLogEntry): AccessLogEntry => (redact === null ? entry : redact(entry));
  if (format !== null) {
    const formatted = formattedLines(format);
    return redact === null ? formatted : (entry, fields) => formatted(redact(entry), fields);
  }
  if (names.length === 0) {
    const jsonLine = jsonLines();
    return redact === null ? jsonLine : (entry) => jsonLine(redact(entry));
  }
  return (entry, fields) => `${JSON.stringify({ ...said(entry), fields: chosen(names, fields) })}\n`;
}

/** As JSON.stringify writes it, in a fraction of the time: most of the values cannot need an escape, or are looked at once. */
function jsonLines(): (entry: AccessLogEntry) => string {
  const placeOf = placeTexts();
  return (entry) => {
    const { result, traceId, consumer, authenticatedBy, alpn, detail } = entry;
    let line = `{"at":"${entry.at}","requestId":${quoted(entry.requestId)},"listener":"${entry.listener}","client":"${entry.client}","method":${quoted(entry.method)},"host":${quoted(
      entry.host,
    )},"path":${quoted(entry.path)},"status":${entry.status}`;
    if (result !== undefined) line += `,"result":${result}`;
    line += `,"bytesIn":${entry.bytesIn},"bytesOut":${entry.bytesOut},"durationMs":${millisText(entry.durationMs)}${placeOf(entry)}${entry.attempts}`;
    line +=
      entry.error === '' && detail === '' ? ',"error":"","detail":""' : `,"error":"${entry.error}","detail":${JSON.stringify(detail)}`;
    if (traceId !== undefined) line += `,"traceId":"${traceId}"`;
    if (consumer !== undefined) line += `,"consumer":${JSON.stringify(consumer)}`;
    if (authenticatedBy !== undefined) line += `,"authenticatedBy":${JSON.stringify(authenticatedBy)}`;
    if (alpn !== undefined) line += `,"alpn":${JSON.stringify(alpn)}`;
    return `${line}}\n`;
  };
}

/** Where requests go is said by few texts, which are kept: by endpoint, the newest of each. */
const MOST_PLACES = 4096;

function placeTexts(): (entry: AccessLogEntry) => string {
  const kept = new Map<string, Pick<AccessLogEntry, 'route' | 'service' | 'version' | 'cluster'> & { readonly text: string }>();
  return ({ route, service, version, cluster, endpoint }) => {
    const known = kept.get(endpoint);
    if (known?.route === route && known.version === version && known.cluster === cluster && known.service === service) return known.text;
    const text = inOnePiece(
      `,"route":"${route}","service":"${service}","version":"${version}","cluster":"${cluster}","endpoint":${quoted(endpoint)},"attempts":`,
    );
    if (kept.size >= MOST_PLACES) kept.clear();
    kept.set(endpoint, { route, service, version, cluster, text });
    return text;
  };
}

/** A text that was put together stays a tree of pieces until somebody needs it in one. */
const inOnePiece = (text: string): string => Buffer.from(text).toString();

/** Thousandths as they are written behind the point: `5` of 500, `025` of 25. */
const THOUSANDTHS = Array.from({ length: 1000 }, (_, count) =>
  (count / 1000)
    .toFixed(3)
    .slice(1)
    .replace(/\.?0+$/, ''),
);

/** A number with three places at most, which is never written as a power of ten. */
function millisText(ms: number): string {
  const micros = Math.round(ms * 1000);
  if (!(micros >= 0 && micros < 2 ** 31)) return String(ms);
  const whole = Math.floor(micros / 1000);
  return `${whole}${THOUSANDTHS[micros - whole * 1000] ?? ''}`;
}

/** What JSON and a quoted value have no need to escape, and no more than that; values are short, and a loop is through before a pattern has begun. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return false;
  }
  return true;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const quoted = (text: string): string => (isPlain(text) ? `"${text}"` : JSON.stringify(text));

function chosen(names: readonly string[], fields: Readonly<Fields>): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = valueOf(name, fields);
    if (value !== null) found[name] = value;
  }
  return found;
}

/** Null: the request has none. */
function valueOf(name: string, fields: Readonly<Fields>): string | null {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return (fields[i + 1] ?? '').slice(0, MAX_FIELD_CHARS);
  return null;
}

type Piece = (entry: AccessLogEntry, fields: Readonly<Fields>) => string;

/** What each part says, made once. */
function formattedLines(parts: readonly FormatPart[]): Piece {
  const pieces = parts.map(pieceOf);
  return (entry, fields) => {
    let line = '';
    for (const piece of pieces) line += piece(entry, fields);
    return `${line}\n`;
  };
}

function pieceOf(part: FormatPart): Piece {
  if (part.kind === 'text') return () => part.text;
  if (part.kind === 'field') return (_entry, fields) => escaped(valueOf(part.name, fields) ?? '');
  const { name } = part;
  switch (name) {
    case 'at':
      return (entry) => entry.at;
    case 'client':
      return (entry) => escaped(entry.client);
    case 'method':
      return (entry) => escaped(entry.method);
    case 'host':
      return (entry) => escaped(entry.host);
    case 'path':
      return (entry) => escaped(entry.path);
    case 'status':
      return (entry) => `${entry.status}`;
    case 'bytesIn':
      return (entry) => `${entry.bytesIn}`;
    case 'bytesOut':
      return (entry) => `${entry.bytesOut}`;
    case 'durationMs':
      return (entry) => millisText(entry.durationMs);
    default:
      return (entry) => escaped(String(entry[name] ?? ''));
  }
}

/** Nothing a client sends ends a line, a quoted value or the terminal of who reads it. Empty is `-`, as in every such log. */
function escaped(text: string): string {
  if (text === '') return '-';
  if (isPlain(text)) return text;
  return /[\x00-\x1f"\\\x7f-\x9f\u2028\u2029]/.test(text)
    ? text.replace(/[\x00-\x1f"\\\x7f-\x9f\u2028\u2029]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
    : text;
}

/** Null: everything may be told. */
function redaction({ client, consumer, paths }: AccessLogConfig['redact']): ((entry: AccessLogEntry) => AccessLogEntry) | null {
  if (client === 'full' && consumer === 'full' && paths.length === 0) return null;
  return (entry) => {
    const { consumer: name, ...rest } = entry;
    return {
      ...rest,
      client: client === 'full' ? entry.client : client === 'omit' ? '' : truncated(entry.client),
      path: paths.length === 0 ? entry.path : redactedPath(entry.path, paths),
      ...(name === undefined || consumer === 'omit' ? {} : { consumer: name }),
    };
  };
}

/** The network of an address, as the config has no other names for clients: /24 of IPv4, /48 of IPv6. */
function truncated(address: string): string {
  const four = /^(\d+\.\d+\.\d+)\.\d+$/.exec(address)?.[1];
  if (four !== undefined) return `${four}.0`;
  const [head = ''] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  while (groups.length < 3) groups.push('0');
  return `${groups.slice(0, 3).join(':')}::`;
}

/** By the first that fits the beginning of the path. */
function redactedPath(path: string, rules: readonly (readonly (string | null)[])[]): string {
  const elements = path.split('/').slice(1);
  const rule = rules.find(
    (one) => one.length <= elements.length && one.every((element, index) => element === null || element === elements[index]),
  );
  if (rule === undefined) return path;
  return `/${elements.map((element, index) => (index < rule.length && rule[index] === null ? '*' : element)).join('/')}`;
}
