// Tracing of the file → tracing of the config.
import { isLoopback } from './addresses.ts';
import type { Completion } from './completion.ts';
import type { SecretReference } from './config.ts';
import type { ValuePath } from './problems.ts';
import { durationMs, percentRatio } from './quantities.ts';
import type { TracingFile } from './schema-tracing.ts';
import type { TracingConfig } from './telemetry-config.ts';

/** Attributes that weir sets itself. */
const OWN_ATTRIBUTES: readonly string[] = ['service.name', 'service.version', 'service.instance.id', 'host.name'];

export function completeTracing(file: TracingFile | undefined, completion: Completion): TracingConfig | null {
  if (file === undefined || completion.isTouched(['tracing'])) return null;
  const { url, ca, authorization, headers, timeout } = file.export;
  const path = ['tracing', 'export'];
  reportSecretFields(headers, [...path, 'headers'], completion);
  for (const name of OWN_ATTRIBUTES)
    if (Object.hasOwn(file.attributes, name))
      completion.reportKey(['tracing', 'attributes', name], `weir sets ${name} itself; remove it, or choose another name`);
  return {
    url,
    ca: ca === undefined ? null : completion.readableFile([...path, 'ca'], ca),
    headers: lowerCase(headers),
    authorization: authorization === undefined ? null : secretTo(url, authorization, { path: [...path, 'authorization'], completion }),
    timeoutMs: durationMs(timeout),
    sample: percentRatio(file.sample),
    parent: file.parent,
    keep: { errors: file.keep.errors, slowerThanMs: durationMs(file.keep.slowerThan), perSecond: file.keep.perSecond },
    attributes: file.attributes,
  };
}

const SECRET_FIELDS: readonly string[] = ['authorization', 'proxy-authorization', 'cookie'];

export function reportSecretFields(headers: Readonly<Record<string, string>>, path: ValuePath, completion: Completion): void {
  for (const field of Object.keys(headers))
    if (SECRET_FIELDS.includes(field.toLowerCase()))
      completion.reportKey(
        [...path, field],
        `${field} carries a secret, which never stands in the file; use a reference { file: … } for it`,
      );
}

export const lowerCase = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([field, value]) => [field.toLowerCase(), value]));

/** A secret that is sent to `url`. */
function secretTo(
  url: string,
  where: { readonly file?: string; readonly env?: string },
  { path, completion }: { readonly path: ValuePath; readonly completion: Completion },
): SecretReference | null {
  const target = new URL(url);
  if (target.protocol !== 'https:' && !isLoopback({ host: target.hostname.replace(/^\[|\]$/g, ''), port: 0 }))
    completion.report(path, `a secret would be sent to ${target.host} in the clear; write an https URL, or leave authorization out`);
  return completion.secret(path, where);
}
