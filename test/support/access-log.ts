// Access logs as tests open them: to a file, with what differs from the plainest config.
import { existsSync, readFileSync } from 'node:fs';
import type { AccessLogConfig } from '../../balancer/config/telemetry-config.ts';
import { openAccessLog, type AccessLog } from '../../balancer/telemetry/access-log.ts';

/** What was written so far: the file comes with the first line. */
export function logged(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

export function logTo(path: string, other: Partial<AccessLogConfig> = {}, random: () => number = Math.random): AccessLog {
  return openAccessLog(logConfig({ target: { kind: 'file', path, maxBytes: 0, keep: 0 }, ...other }), 'edge-1', random);
}

export function logConfig(other: Partial<AccessLogConfig> = {}): AccessLogConfig {
  return {
    ...{ target: { kind: 'stdout' }, format: null, sample: 1, errors: true, fields: [] },
    redact: { client: 'full', consumer: 'full', paths: [] },
    ...other,
  };
}
