// Requests as an attacker writes them: sound ones of which parts are replaced by what parsers have disagreed about, then bytes at random.
import type { Random } from '../../health/clock.ts';

const METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH'];
const TARGETS = ['/', '/a', '/a/b?c=d', '/%61', '/a%2fb', '/a/../b', '//a', '/?', '/;p', 'http://shop.example/x', 'HTTP://SHOP.EXAMPLE/'];
const ODD_TARGETS = [
  '',
  '*',
  'a',
  '/a b',
  '/\t',
  '/a#b',
  '/a\\b',
  '/\xe9',
  '/\0',
  'http://other.example/',
  'http:///',
  'shop.example:443',
  '/a\rb',
];
const ODD_VERSIONS = ['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.10', 'HTTP/01.1', 'HTTP/1,1', 'HTP/1.1', ''];
const ODD_SPACES = ['  ', '\t', '\x0b', '\x0c', '\xa0', '', '\r', '\n'];
const ODD_LINE_ENDS = ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', ' \r\n', '\0\r\n', '\x0b\r\n', '\r\n ', '\r\n\t', ''];
const FIELDS = ['X-A: b', 'Accept: */*', 'Cookie: a=b', 'X-Empty:', 'X-High: \xe9', 'X-Long: '.padEnd(40, 'y'), 'X_A: b', 'User-Agent: t'];
const CONNECTIONS = [
  'close',
  'keep-alive',
  'close, x-a',
  'Keep-Alive, Upgrade',
  'x-a',
  'content-length',
  'host',
  ',,',
  'Transfer-Encoding',
];

/** Fields that have been read in two ways; the body they speak of is whatever follows. */
const ODD_FIELDS = [
  ...[
    '3',
    '0',
    '03',
    '+3',
    '-1',
    '0x3',
    '3 3',
    '3,3',
    '3, 3',
    '',
    ' ',
    '3;',
    '3.0',
    '1e1',
    '99999999999999999999',
    '\x0b3',
    '3\0',
    '"3"',
  ].map((value) => `Content-Length: ${value}`),
  ...['chunked', 'Chunked', 'xchunked', 'chunked, chunked', 'gzip, chunked', 'chunked, gzip', ',chunked', 'chunked,', 'identity'].map(
    (value) => `Transfer-Encoding: ${value}`,
  ),
  ...['\x0bchunked', 'chunked\t', '\tchunked', 'chunked;q=1', '"chunked"', 'chunked\0', 'chunked\r', 'chun ked', ' ', ''].map(
    (value) => `Transfer-Encoding:${value}`,
  ),
  'Transfer-Encoding : chunked',
  'Transfer-Encoding\t: chunked',
  ' Transfer-Encoding: chunked',
  'Transfer-\r\nEncoding: chunked',
  'Transfer\x00-Encoding: chunked',
  'Transfer-Encoding\x85: chunked',
  'Transfer_Encoding: chunked',
  'X: y\r\n Transfer-Encoding: chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'Content-Length 3',
  'Content-Length\r: 3',
  'Content_Length: 3',
  ...['shop.example', 'SHOP.example:80', 'other.example', '', 'a b', 'a/b', 'a@b', 'a,b', '[::1]', 'a\0b'].map((value) => `Host: ${value}`),
  ...['100-continue', '100-Continue', '100-continue, x', 'x', ''].map((value) => `Expect: ${value}`),
  ...['websocket', 'h2c', 'TLS/1.0', ''].map((value) => `Upgrade: ${value}`),
  ...CONNECTIONS.map((value) => `Connection: ${value}`),
  ': empty',
  'no colon',
  'X-Ctl: a\x01b',
  'X-Del: a\x7fb',
  'X-Cr: a\rb',
  'X-Nul: a\0b',
  '\x80: a',
  'X(Y): a',
  '\rX: y',
  'Proxy-Connection: close',
  'TE: trailers',
  'Trailer: X',
];

const ODD_SIZES = [
  ...[
    '0x3',
    '3h',
    '+3',
    '-3',
    ' 3',
    '3 ',
    '3\t',
    '1_0',
    '',
    '00000003',
    '000000000000003',
    'fffffffffffffffff',
    '3\0',
    '3,3',
    '3.0',
    '\n3',
    '\r3',
  ],
  ...[
    ';',
    ';a',
    ';a=b',
    ';a="b"',
    ';a="b;c"',
    ';a="\\""',
    ';a=b;c',
    ';;',
    ';=',
    '; a',
    ';a =b',
    ';a\r',
    ';a\n',
    ';a="\r\n"',
    ';\0',
    ';a=\x7f',
  ].map((extension) => `3${extension}`),
];
const TRAILERS = [
  'X-T: 1\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'X-T : 1\r\n',
  ' X: 1\r\n',
  'X: 1\n',
  'X\r\n',
  'Host: b\r\n',
];
const NOISE = [
  '\0',
  '\t',
  '\n',
  '\r',
  '\r\n',
  ' ',
  '"',
  ',',
  ':',
  ';',
  '=',
  '/',
  '0',
  '1',
  'A',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  '_',
  '+',
  '-',
];

/** How often a part is replaced by an odd one. */
const ODD = 0.03;

export class RequestMangler {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** One to three requests, pipelined, with what was done to them. */
  next(): string {
    let bytes = '';
    for (let count = 1 + this.#below(3); count > 0; count -= 1) bytes += this.#request();
    return this.#random() < 0.4 ? this.mutate(bytes) : bytes;
  }

  /** `bytes` with one to four random changes. */
  mutate(bytes: string): string {
    let changed = bytes;
    for (let count = 1 + this.#below(4); count > 0; count -= 1) changed = this.#change(changed);
    return changed;
  }

  /** The same bytes in pieces, as a network may deliver them. */
  cut(bytes: string): readonly string[] {
    const pieces: string[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = 1 + this.#below(this.#random() < 0.2 ? 3 : 60);
      pieces.push(bytes.slice(at, at + length));
      at += length;
    }
    return pieces;
  }

  #request(): string {
    const method = this.#of(METHODS);
    const target = this.#rather(this.#of(TARGETS), ODD_TARGETS);
    const version = this.#rather('HTTP/1.1', ODD_VERSIONS);
    const lines = [`${method}${this.#rather(' ', ODD_SPACES)}${target}${this.#rather(' ', ODD_SPACES)}${version}`];
    const fields = [this.#of(FIELDS), this.#of(FIELDS)];
    if (this.#random() > ODD) fields.push('Host: shop.example');
    if (this.#random() < 0.1) fields.push(`Connection: ${this.#of(CONNECTIONS)}`);
    const body = method === 'GET' || method === 'HEAD' ? this.#of(['', '', 'sized']) : this.#of(['', 'sized', 'chunked', 'chunked']);
    if (body !== '') fields.push(body === 'sized' ? 'Content-Length: 3' : 'Transfer-Encoding: chunked');
    if (this.#random() < 0.25) fields.push(this.#of(ODD_FIELDS));
    lines.push(...this.#shuffled(fields), '');
    const head = lines.map((line) => line + this.#rather('\r\n', ODD_LINE_ENDS, ODD / 4)).join('');
    return head + (body === 'sized' ? 'abc' : body === 'chunked' ? this.#chunks() : '');
  }

  #chunks(): string {
    let text = '';
    for (let count = this.#below(3); count > 0; count -= 1) {
      text += `${this.#rather('3', ODD_SIZES)}${this.#rather('\r\n', ODD_LINE_ENDS, ODD / 4)}abc${this.#rather('\r\n', ODD_LINE_ENDS, ODD / 4)}`;
    }
    const last = this.#rather('0', ['00', '0;a', '', '0 ', 'O', '-0', '0x0'], ODD / 2);
    const trailers = this.#random() < 0.15 ? this.#of(TRAILERS) : '';
    return `${text}${last}${this.#rather('\r\n', ODD_LINE_ENDS, ODD / 4)}${trailers}${this.#rather('\r\n', ODD_LINE_ENDS, ODD / 4)}`;
  }

  #change(bytes: string): string {
    const at = this.#below(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + this.#below(8));
    switch (this.#below(6)) {
      case 0:
        return bytes.slice(0, at) + this.#of(NOISE) + bytes.slice(at + 1);
      case 1:
        return bytes.slice(0, at) + this.#of(NOISE) + bytes.slice(at);
      case 2:
        return bytes.slice(0, at) + bytes.slice(end);
      case 3:
        return bytes.slice(0, end) + bytes.slice(at);
      case 4:
        return this.#lines(bytes, (lines, line) => lines.splice(line, 1, this.#of(ODD_FIELDS)));
      default:
        return this.#lines(bytes, (lines, line) => lines.splice(this.#below(lines.length), 0, lines[line] ?? ''));
    }
  }

  #lines(bytes: string, change: (lines: string[], line: number) => void): string {
    const lines = bytes.split('\r\n');
    change(lines, this.#below(lines.length));
    return lines.join('\r\n');
  }

  #rather(sound: string, odd: readonly string[], often = ODD): string {
    return this.#random() < often ? this.#of(odd) : sound;
  }

  #of(choices: readonly string[]): string {
    return choices[this.#below(choices.length)] ?? '';
  }

  #shuffled(items: readonly string[]): readonly string[] {
    return items
      .map((item) => ({ item, place: this.#random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ item }) => item);
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }
}
