// What the access log takes for a target, a format and a path to redact, as people write them. Pure.
import { LOG_NAMES, type FormatPart, type LogName } from './telemetry-config.ts';

/** Names of RFC 5424 section 6.2.1 that a program of its own is logged under. */
export const FACILITIES: Readonly<Record<string, number>> = {
  user: 1,
  daemon: 3,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};

const SYSLOG = /^syslog\+(udp|tcp):\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?$/;
const SYSLOG_PORTS = { udp: 514, tcp: 601 } as const;

export interface SyslogPlace {
  readonly transport: 'udp' | 'tcp';
  readonly host: string;
  readonly port: number;
}

/** `syslog+udp://logs.internal:514`; null: it is none. */
export function parseSyslog(text: string): SyslogPlace | null {
  const [, transport, host = '', port] = SYSLOG.exec(text) ?? [];
  if (transport !== 'udp' && transport !== 'tcp') return null;
  const number = port === undefined ? SYSLOG_PORTS[transport] : Number(port);
  return number < 1 || number > 65_535 ? null : { transport, host: host.replace(/^\[|\]$/g, ''), port: number };
}

/** `stdout`, a path with a slash, or a place of syslog. */
export function isLogTarget(value: unknown): boolean {
  return (
    typeof value === 'string' && (value === 'stdout' || parseSyslog(value) !== null || (!value.includes('://') && value.includes('/')))
  );
}

const isLogName = (name: string): name is LogName => LOG_NAMES.some((one) => one === name);
/** Fields that carry what nobody may log. */
export const NEVER_LOGGED: readonly string[] = ['authorization', 'proxy-authorization', 'cookie', 'x-api-key'];

/** `$client [$at] "$method $path" $status $field{user-agent}`; a text: what is wrong with it. `$$` is a dollar. */
export function parseFormat(format: string): readonly FormatPart[] | string {
  const parts: FormatPart[] = [];
  let text = '';
  const add = (part: FormatPart): void => {
    if (text !== '') parts.push({ kind: 'text', text });
    text = '';
    parts.push(part);
  };
  for (let at = 0; at < format.length;) {
    const rest = format.slice(at);
    const [whole = '', field, name = ''] = /^\$(?:field\{([^}]*)\}|([A-Za-z]+))/.exec(rest) ?? [];
    if (rest.startsWith('$$')) {
      text += '$';
      at += 2;
    } else if (whole === '') {
      if (rest.startsWith('$')) return `a $ stands for itself as $$; a value is $NAME, of ${LOG_NAMES.join(', ')}, or $field{NAME}`;
      text += rest.charAt(0);
      at += 1;
    } else if (field !== undefined) {
      const lower = field.toLowerCase();
      if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower)) return `"${field}" is no name of a header field`;
      if (NEVER_LOGGED.includes(lower)) return `${lower} carries a secret and is never logged`;
      add({ kind: 'field', name: lower });
      at += whole.length;
    } else {
      if (!isLogName(name)) return `there is no value $${name}; expected one of ${LOG_NAMES.join(', ')}, or $field{NAME}`;
      add({ kind: 'value', name });
      at += whole.length;
    }
  }
  if (text !== '') parts.push({ kind: 'text', text });
  return parts;
}

/** `/users/*` → elements, null for any one; null: it is no such path. */
export function parseRedactedPath(text: string): readonly (string | null)[] | null {
  if (!/^(\/[^/?#\s]+)+$/.test(text) || !text.includes('/*')) return null;
  const elements = text.slice(1).split('/');
  if (elements.some((element) => element.includes('*') && element !== '*')) return null;
  return elements.map((element) => (element === '*' ? null : element));
}
