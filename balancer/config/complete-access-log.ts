// The access log of the file → the access log of the config.
import type { Completion } from './completion.ts';
import { FACILITIES, isLogTarget, NEVER_LOGGED, parseFormat, parseRedactedPath, parseSyslog } from './log-format.ts';
import { percentRatio, sizeBytesOrZero } from './quantities.ts';
import type { AccessLogFile } from './schema-access-log.ts';
import type { AccessLogConfig, LogTarget } from './telemetry-config.ts';

const ROTATE_BYTES = 128 * 1024 * 1024;
const KEEP_FILES = 8;
/** Below, files would be moved about more than written. */
const LEAST_ROTATE_BYTES = 64 * 1024;

export function completeAccessLog(file: AccessLogFile | string | undefined, completion: Completion): AccessLogConfig | null {
  if (file === undefined || completion.isTouched(['accessLog'])) return null;
  if (typeof file === 'string') {
    if (!isLogTarget(file))
      completion.report(
        ['accessLog'],
        `"${file}" is not a target of the access log; expected stdout, or a path with a slash such as ./access.log`,
      );
    return { ...PLAIN, target: targetOf({ to: file, ...DEFAULTS }, completion) };
  }
  const format = file.format === undefined ? null : parseFormat(file.format);
  const fields = file.fields.map((field) => field.toLowerCase());
  file.fields.forEach((field, index) => {
    if (NEVER_LOGGED.includes(field.toLowerCase()))
      completion.report(['accessLog', 'fields', index], `${field} carries a secret and is never logged`);
  });
  const rotateBytes = sizeBytesOrZero(file.rotate.size);
  if (rotateBytes > 0 && rotateBytes < LEAST_ROTATE_BYTES)
    completion.report(['accessLog', 'rotate', 'size'], `"${file.rotate.size}" is too little; expected 0, or at least 64KiB`);
  return {
    target: targetOf({ to: file.to, rotateBytes, keep: file.rotate.keep, ...file.syslog }, completion),
    format: typeof format === 'string' ? null : format,
    sample: percentRatio(file.sample),
    errors: file.errors,
    fields: [...new Set(fields)],
    redact: {
      client: file.redact.client,
      consumer: file.redact.consumer,
      paths: file.redact.paths.map((path) => parseRedactedPath(path) ?? []),
    },
  };
}

const PLAIN: Omit<AccessLogConfig, 'target'> = {
  ...{ format: null, sample: 1, errors: true, fields: [] },
  redact: { client: 'full', consumer: 'full', paths: [] },
};

interface TargetFile {
  readonly to: string;
  readonly rotateBytes: number;
  readonly keep: number;
  readonly facility: string;
  readonly tag: string;
}

const DEFAULTS = { rotateBytes: ROTATE_BYTES, keep: KEEP_FILES, facility: 'local0', tag: 'weir' };

function targetOf({ to, rotateBytes, keep, facility, tag }: TargetFile, completion: Completion): LogTarget {
  if (to === 'stdout') return { kind: 'stdout' };
  const syslog = parseSyslog(to);
  if (syslog !== null) return { kind: 'syslog', ...syslog, facility: FACILITIES[facility] ?? 16, tag };
  return { kind: 'file', path: completion.absolutePath(to), maxBytes: rotateBytes, keep };
}
