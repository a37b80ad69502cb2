// Fuzz target chunked: the decoder against the grammar of RFC 9112 section 7.1 written as one regular expression, and however the bytes are cut.
import { ChunkedDecoder } from '../../../balancer/http1/chunked.ts';
import type { Random } from '../../../health/clock.ts';
import { REQUEST_CHUNKS } from '../../conformance/corpus/request-chunks.ts';
import type { FuzzTarget } from '../target.ts';

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"';
const SIZE_LINE = new RegExp(`^([0-9A-Fa-f]{1,12})((?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)*)\\r\\n`);
const MAX_EXTENSION = 1024;

export const chunked: FuzzTarget = {
  name: 'chunked',
  summary: 'The chunked coding, against its grammar and however it is cut',
  seeds: [...REQUEST_CHUNKS.map(({ bytes }) => bytes).filter(({ length }) => length < 4096), '3;a=b;c="d"\r\nabc\r\n0;e\r\nx: y\r\n\r\n'],
  dictionary: ['\r\n', '0\r\n\r\n', '3\r\nabc\r\n', ';', '=', '"', '\\', ';a=b', 'x: y\r\n', 'f', '0', '\r', '\n', '\0', 'ff\r\n'],
  parallel: 1,
  open: (random) =>
    Promise.resolve({
      run: (input) => {
        const whole = decode([input]);
        const cut = decode(pieces(input, random));
        if (cut !== whole) throw new Error(`cut it is ${cut}, whole ${whole}`);
        const expected = byGrammar(input);
        if (expected !== null && expected !== whole) throw new Error(`it is ${whole}, by the grammar ${expected}`);
        return whole.replace(/"(?:[^"\\]|\\.)*"/g, (text) => String(Math.min(text.length, 8)));
      },
      close: () => Promise.resolve(),
    }),
};

/** `malformed`, `more`, or the body with what is left behind it. */
function decode(reads: readonly string[]): string {
  const decoder = new ChunkedDecoder();
  let body = '';
  let trailers = 0;
  const sink = {
    onBody: (chunk: Buffer) => (body += chunk.toString('latin1')),
    onBodyEnd: (fields: readonly string[]) => (trailers = fields.length / 2),
  };
  for (const [index, read] of reads.entries()) {
    const used = decoder.feed(Buffer.from(read, 'latin1'), 0, sink);
    if (used < 0) return 'malformed';
    if (decoder.done) return done(body, trailers, read.slice(used) + reads.slice(index + 1).join(''));
  }
  return 'more';
}

const done = (body: string, trailers: number, rest: string): string => `${JSON.stringify(body)} ${trailers} ${JSON.stringify(rest)}`;

/** Null where the grammar alone does not say: of trailers, and of a message that is not all there. */
function byGrammar(input: string): string | null {
  let body = '';
  for (let at = 0; ;) {
    const match = SIZE_LINE.exec(input.slice(at));
    if (match === null) return input.indexOf('\n', at) < 0 ? null : 'malformed';
    const [line, size = '', extension = ''] = match;
    if (extension.length > MAX_EXTENSION) return null;
    const length = Number.parseInt(size, 16);
    at += line.length;
    if (length === 0) return input.startsWith('\r\n', at) ? done(body, 0, input.slice(at + 2)) : null;
    if (input.length < at + length + 2) return null;
    body += input.slice(at, at + length);
    if (input.slice(at + length, at + length + 2) !== '\r\n') return 'malformed';
    at += length + 2;
  }
}

function pieces(input: string, random: Random): readonly string[] {
  const cut: string[] = [];
  for (let at = 0; at < input.length;) {
    const length = 1 + Math.floor(random() * 20);
    cut.push(input.slice(at, at + length));
    at += length;
  }
  return cut;
}
