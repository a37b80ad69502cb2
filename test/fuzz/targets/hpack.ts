// Fuzz target hpack: header blocks, against the decoder of nghttp2 in Node, and the same when they are encoded and read again.
import { connect } from 'node:http2';
import { duplexPair } from 'node:stream';
import { Flag, FrameType, Http2Error, pingFrame, PREFACE, SETTINGS_ACK, settingsFrame } from '../../../balancer/http2/frame.ts';
import { FrameReader } from '../../../balancer/http2/frame-reader.ts';
import { Decoded, HpackDecoder } from '../../../balancer/http2/hpack-decoder.ts';
import { FieldEncoder } from '../../../balancer/http2/hpack-encoder.ts';
import type { Fields } from '../../../balancer/message/fields.ts';
import { FrameRecorder, hex, rawFrame } from '../../support/frames.ts';
import type { FuzzTarget } from '../target.ts';

const TABLE_BYTES = 4096;
const text = (digits: string): string => hex(digits).toString('latin1');
const plain = (...fields: string[]): string => new FieldEncoder(false).block(fields);
const huffman = (...fields: string[]): string => new FieldEncoder(true).block(fields);

export const hpack: FuzzTarget = {
  name: 'hpack',
  summary: 'HPACK blocks, against the decoder of nghttp2, and the same when they are encoded again',
  seeds: [
    plain(':status', '200', 'content-type', 'text/plain', 'x-own', 'value'),
    huffman(':status', '404', 'content-type', 'text/html; charset=utf-8', 'set-cookie', 'a=1', 'x-own', 'https://shop.example/'),
    // RFC 7541 appendix C.6: three responses in one block, with a table and the Huffman code.
    text('488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3'),
    text('3f e1 1f 88 40 01 61 01 62 be be 10 01 61 01 62'),
    text('20 3f 61 88 40 02 78 79 82 ff c7 be'),
  ],
  dictionary: [
    ...['\x20', '\x3f\xe1\x1f', '\x88', '\xbe', '\xbf', '\xff\x00', '\xff\x80\x80\x00', '\x40', '\x00', '\x10', '\x01', '\x81', '\x7f\x00'],
    ...['\x01a', '\x01b', '\x03www', '\x84\xff\xff\xff\xff', '\x40\x01a\x01b', '\x85\xae\xc3\x77\x1a\x4b', '\x7f\xff\xff\xff\xff\x0f'],
  ],
  parallel: 8,
  open: () => Promise.resolve({ run, close: () => Promise.resolve() }),
};

async function run(input: string): Promise<string> {
  const fields: Fields = [];
  const decoder = new HpackDecoder(TABLE_BYTES, 1_000_000);
  const outcome = decoder.decode(input, fields);
  if (outcome === Decoded.Well) {
    for (const encoder of [new FieldEncoder(true), new FieldEncoder(false)]) {
      const again: Fields = [];
      if (new HpackDecoder(0, 1_000_000).decode(encoder.block(fields), again) !== Decoded.Well || !equal(fields, again))
        throw new Error(`${JSON.stringify(fields)} is read again as ${JSON.stringify(again)}`);
    }
  }
  const theirs = knownDifference(input) ? 'not asked' : await nghttp2Reads(input);
  if (theirs === 'broken' && outcome !== Decoded.Broken)
    throw new Error(`it is read as ${JSON.stringify(fields)}, by nghttp2 it is broken`);
  if (theirs === 'read' && outcome === Decoded.Broken) throw new Error('it is broken, nghttp2 reads it');
  const lengths = fields.slice(0, 8).map(({ length }) => Math.min(length, 5));
  return `${outcome} ${theirs} ${lengths.join(' ')} ${decoder.version > 0}`;
}

const equal = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((value, index) => value === other[index]);

/** nghttp2 takes any number of changes of the table's size; RFC 7541 section 4.2 names two. */
function knownDifference(input: string): boolean {
  let changes = 0;
  let at = 0;
  while ((input.charCodeAt(at) & 0xe0) === 0x20) {
    changes += 1;
    const long = (input.charCodeAt(at) & 0x1f) === 0x1f;
    at += 1;
    if (long) while (input.charCodeAt(at++) >= 0x80);
  }
  return changes > 2;
}

/** What Node's client makes of the block as the head of a response: it is the connection that ends where a block is broken. */
async function nghttp2Reads(input: string): Promise<'read' | 'broken'> {
  const [near, far] = duplexPair();
  const session = connect('http://a', { createConnection: () => near });
  session.on('error', () => undefined);
  const asked = session.request({ ':path': '/' });
  asked.on('error', () => undefined).resume();
  const said = new FrameRecorder();
  const reader = new FrameReader(said, { maxFrame: 16_384, maxBlock: 65_536, maxContinuations: 10 });
  const { promise, resolve } = Promise.withResolvers<'read' | 'broken'>();
  let greeted = '';
  let answered = false;
  far.on('data', (chunk: Buffer) => {
    const skip = Math.min(chunk.length, PREFACE.length - greeted.length);
    greeted += chunk.toString('latin1', 0, skip);
    reader.feed(chunk.subarray(skip));
    if (!answered && said.lines.some((line) => line.startsWith('headers 1 '))) {
      answered = true;
      far.write(Buffer.from(settingsFrame([]) + SETTINGS_ACK, 'latin1'));
      far.write(rawFrame(FrameType.Headers, Flag.EndHeaders | Flag.EndStream, 1, input));
      far.write(Buffer.from(pingFrame('readthis', false), 'latin1'));
    }
    const goAway = said.lines.find((line) => line.startsWith('goaway '));
    if (said.lines.includes('ping readthis ack')) resolve('read');
    else if (goAway !== undefined) resolve(goAway.split(' ')[2] === String(Http2Error.CompressionError) ? 'broken' : 'read');
  });
  const verdict = await promise;
  session.destroy();
  far.destroy();
  return verdict;
}
