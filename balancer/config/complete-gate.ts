// Gates of the file → gates of the config.
import { isLoopback, parseStatuses } from './addresses.ts';
import type { Completion } from './completion.ts';
import type { SecretReference } from './config.ts';
import type { AskedGateConfig } from './gate-config.ts';
import { durationMs } from './quantities.ts';
import type { GateFile } from './schema-gates.ts';

const LEAST_EVERY_MS = 1000;
const SECRET_FIELDS: readonly string[] = ['authorization', 'proxy-authorization', 'cookie'];

interface Written {
  readonly name: string;
  readonly file: GateFile;
  readonly completion: Completion;
}

/** Null: what is wrong with it is reported. */
export function completeGate(name: string, file: GateFile, completion: Completion): AskedGateConfig | null {
  const path = ['gates', name];
  if (completion.isTouched(path)) return null;
  const source = sourceOf({ name, file, completion });
  if (source === null) return null;
  const problem = boundProblem(file, source);
  if (problem !== null) completion.report(path, problem);
  const secret = Object.keys(file.headers).find((field) => SECRET_FIELDS.includes(field.toLowerCase()));
  if (secret !== undefined)
    completion.reportKey(
      [...path, 'headers', secret],
      `${secret} carries a secret, which never stands in the file; use authorization: { file: … }`,
    );
  if (durationMs(file.every) < LEAST_EVERY_MS) completion.report([...path, 'every'], `${file.every} is too often; expected at least 1s`);
  return {
    ...{ name, source, failures: file.failures },
    bound: { above: file.above ?? null, below: file.below ?? null },
    everyMs: durationMs(file.every),
    timeoutMs: durationMs(file.timeout),
    authorization: authorizationOf({ name, file, completion }, source.url),
    headers: Object.fromEntries(Object.entries(file.headers).map(([field, value]) => [field.toLowerCase(), value])),
    ca: file.ca === undefined ? null : completion.readableFile([...path, 'ca'], file.ca),
  };
}

function sourceOf({ name, file: { http, prometheus }, completion }: Written): AskedGateConfig['source'] | null {
  if (http !== undefined && prometheus === undefined)
    return { kind: 'http', url: http.url, statuses: parseStatuses(http.status) ?? [], value: http.value ?? null };
  if (prometheus !== undefined && http === undefined) return { kind: 'prometheus', ...prometheus };
  completion.report(['gates', name], 'a gate asks one thing; expected either http or prometheus, for example http: { url: "https://…" }');
  return null;
}

function boundProblem({ above, below }: GateFile, source: AskedGateConfig['source']): string | null {
  const bounded = above !== undefined || below !== undefined;
  const hasFigure = source.kind === 'prometheus' || source.value !== null;
  if (hasFigure && !bounded) return 'nothing says which figure is good; add below or above, for example below: 0.01';
  if (!hasFigure && bounded)
    return 'a bound needs a figure, and only the status is looked at; add http.value, for example value: /errors, or leave the bound out';
  if (above !== undefined && below !== undefined && above >= below)
    return `no figure is above ${above} and below ${below}; expected above to be the smaller one`;
  return null;
}

function authorizationOf({ name, file: { authorization }, completion }: Written, url: string): SecretReference | null {
  if (authorization === undefined) return null;
  const path = ['gates', name, 'authorization'];
  const target = new URL(url);
  if (target.protocol !== 'https:' && !isLoopback({ host: target.hostname.replace(/^\[|\]$/g, ''), port: 0 }))
    completion.report(path, `a secret would be sent to ${target.host} in the clear; write an https URL, or leave authorization out`);
  return completion.secret(path, authorization);
}
