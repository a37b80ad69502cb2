// What the corpus is made of: raw bytes that have made two parsers disagree somewhere, each with the place where that is described.

/** Bytes of a client. */
export interface RawRequest {
  readonly name: string;
  /** RFC section, CVE, or public report. */
  readonly source: string;
  readonly bytes: string;
}

export const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
export const get = (...lines: readonly string[]): string => head('GET / HTTP/1.1', 'Host: a', ...lines);
export const post = (...lines: readonly string[]): string => head('POST / HTTP/1.1', 'Host: a', ...lines);
/** The request that must never be understood. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
