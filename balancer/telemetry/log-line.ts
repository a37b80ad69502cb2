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
  if (format !== null) return (entry, fields) => `${formatted(format, said(entry), fields)}\n`;
  if (names.length === 0) return redact === null ? jsonLine : (entry) => jsonLine(redact(entry));
  return (entry, fields) => `${JSON.stringify({ ...said(entry), fields: chosen(names, fields) })}\n`;
}

/** As JSON.stringify writes it, in half the time: most of the values cannot need an escape, or are looked at once. */
function jsonLine(entry: AccessLogEntry): string {
  const { result, traceId, consumer, authenticatedBy, alpn } = entry;
  let line = `{"at":"${entry.at}","requestId":${quoted(entry.requestId)},"listener":"${entry.listener}","client":"${entry.client}","method":${quoted(entry.method)},"host":${quoted(
    entry.host,
  )},"path":${quoted(entry.path)},"status":${entry.status}`;
  if (result !== undefined) line += `,"result":${result}`;
  line += `,"bytesIn":${entry.bytesIn},"bytesOut":${entry.bytesOut},"durationMs":${entry.durationMs},"route":"${entry.route}","service":"${entry.service}","version":"${entry.version}","cluster":"${entry.cluster}","endpoint":${quoted(
    entry.endpoint,
  )},"attempts":${entry.attempts},"error":"${entry.error}","detail":${entry.detail === '' ? '""' : JSON.stringify(entry.detail)}`;
  if (traceId !== undefined) line += `,"traceId":"${traceId}"`;
  if (consumer !== undefined) line += `,"consumer":${JSON.stringify(consumer)}`;
  if (authenticatedBy !== undefined) line += `,"authenticatedBy":${JSON.stringify(authenticatedBy)}`;
  if (alpn !== undefined) line += `,"alpn":${JSON.stringify(alpn)}`;
  return `${line}}\n`;
}

/** What JSON has no need to escape, and no more than that. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

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

function formatted(parts: readonly FormatPart[], entry: AccessLogEntry, fields: Readonly<Fields>): string {
  let line = '';
  for (const part of parts) {
    if (part.kind === 'text') line += part.text;
    else if (part.kind === 'field') line += escaped(valueOf(part.name, fields) ?? '');
    else line += escaped(String(entry[part.name] ?? ''));
  }
  return line;
}

/** Nothing a client sends ends a line, a quoted value or the terminal of who reads it. Empty is `-`, as in every such log. */
function escaped(text: string): string {
  if (text === '') return '-';
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
