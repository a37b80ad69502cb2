// The static table of HPACK (RFC 7541 appendix A) and its way back.

/** Name, value, name, value, …; the first entry has index 1. */
// prettier-ignore
export const STATIC_TABLE: readonly string[] = [
  ':authority', '',
  ':method', 'GET',
  ':method', 'POST',
  ':path', '/',
  ':path', '/index.html',
  ':scheme', 'http',
  ':scheme', 'https',
  ':status', '200',
  ':status', '204',
  ':status', '206',
  ':status', '304',
  ':status', '400',
  ':status', '404',
  ':status', '500',
  'accept-charset', '',
  'accept-encoding', 'gzip, deflate',
  'accept-language', '',
  'accept-ranges', '',
  'accept', '',
  'access-control-allow-origin', '',
  'age', '',
  'allow', '',
  'authorization', '',
  'cache-control', '',
  'content-disposition', '',
  'content-encoding', '',
  'content-language', '',
  'content-length', '',
  'content-location', '',
  'content-range', '',
  'content-type', '',
  'cookie', '',
  'date', '',
  'etag', '',
  'expect', '',
  'expires', '',
  'from', '',
  'host', '',
  'if-match', '',
  'if-modified-since', '',
  'if-none-match', '',
  'if-range', '',
  'if-unmodified-since', '',
  'last-modified', '',
  'link', '',
  'location', '',
  'max-forwards', '',
  'proxy-authenticate', '',
  'proxy-authorization', '',
  'range', '',
  'referer', '',
  'refresh', '',
  'retry-after', '',
  'server', '',
  'set-cookie', '',
  'strict-transport-security', '',
  'transfer-encoding', '',
  'user-agent', '',
  'vary', '',
  'via', '',
  'www-authenticate', '',
];

export const STATIC_ENTRIES = STATIC_TABLE.length / 2;

const byName = new Map<string, number>();
const byLine = new Map<string, number>();
for (let i = STATIC_ENTRIES; i >= 1; i -= 1) {
  const name = STATIC_TABLE[i * 2 - 2] ?? '';
  const value = STATIC_TABLE[i * 2 - 1] ?? '';
  byName.set(name, i);
  if (value !== '') byLine.set(`${name}\n${value}`, i);
}

/** Index of the first entry with this name; 0: none. */
export function staticNameIndex(name: string): number {
  return byName.get(name) ?? 0;
}

/** Index of the entry with this name and value, which is not empty; 0: none. */
export function staticLineIndex(name: string, value: string): number {
  return byLine.get(`${name}\n${value}`) ?? 0;
}
