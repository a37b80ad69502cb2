// How the most daring origins read a request: every decoding, every field and parameter that some framework takes for the path or the method.
import type { IncomingHttpHeaders } from 'node:http';

export interface ReceivedRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** Symfony, Zend and IIS take the path from these; front proxies leave some of them behind. */
const PATH_FIELDS = ['x-original-url', 'x-rewrite-url', 'x-original-uri', 'x-forwarded-uri', 'x-forwarded-path'];
/** Rails, Laravel, Symfony, Express, OData and Google APIs take the method from these. */
const METHOD_FIELDS = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/** Every `METHOD /path` that an origin may take a request for. */
export function daringReadings({ method = '', url = '', headers }: ReceivedRequest): readonly string[] {
  const [path = '', query = ''] = url.split('?');
  const paths = [path, ...PATH_FIELDS.flatMap((name) => textsOf(headers[name]))].flatMap(readPath);
  const named = [...METHOD_FIELDS.flatMap((name) => textsOf(headers[name])), ...new URLSearchParams(query).getAll('_method')];
  const methods = new Set([method, ...named].map((text) => text.trim().toUpperCase()));
  return [...methods].flatMap((one) => [...new Set(paths)].map((other) => `${one} ${other}`));
}

const textsOf = (value: string | string[] | undefined): readonly string[] =>
  value === undefined ? [] : [value].flat().flatMap((text) => text.split(','));

/** Decoded up to three times, with and without parameters, backslashes for slashes, slashes merged and dots resolved. */
function readPath(text: string): readonly string[] {
  const read = new Set<string>();
  let decoded = text.trim();
  for (let times = 0; times <= 3; times += 1) {
    for (const plain of [decoded, decoded.replaceAll(/;[^/]*/g, '')]) {
      const merged = plain.replaceAll('\\', '/').replaceAll(/\/{2,}/g, '/');
      read.add(new URL(`http://a${merged.replaceAll(/[?#]/g, '_').replace(/^(?!\/)/, '/')}`).pathname);
    }
    decoded = decoded.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return [...read];
}
