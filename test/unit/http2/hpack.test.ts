// HPACK: the examples of RFC 7541 appendix C, every way a block can be broken, and Node's encoder as the peer.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { BlockMemory } from '../../../balancer/http2/block-memory.ts';
import { FrameReader } from '../../../balancer/http2/frame-reader.ts';
import { PREFACE, SETTINGS_ACK, settingsFrame } from '../../../balancer/http2/frame.ts';
import { Decoded, HpackDecoder } from '../../../balancer/http2/hpack-decoder.ts';
import { FieldEncoder, NO_TABLE } from '../../../balancer/http2/hpack-encoder.ts';
import { huffmanDecode, huffmanEncode, huffmanLength } from '../../../balancer/http2/hpack-huffman.ts';
import { STATIC_TABLE } from '../../../balancer/http2/hpack-static.ts';
import type { Fields } from '../../../balancer/message/fields.ts';
import { FrameRecorder, hex } from '../../support/frames.ts';

const block = (digits: string): string => hex(digits).toString('latin1');
const MANY = 1_000_000;

function decode(decoder: HpackDecoder, text: string): Fields {
  const fields: Fields = [];
  assert.equal(decoder.decode(text, fields), Decoded.Well);
  return fields;
}

const GET = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'];
const CUSTOM = [
  ':method',
  'GET',
  ':scheme',
  'https',
  ':path',
  '/index.html',
  ':authority',
  'www.example.com',
  'custom-key',
  'custom-value',
];
const DATE = 'Mon, 21 Oct 2013 20:13:21 GMT';
const PLACE = 'https://www.example.com';
const COOKIE = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const REQUESTS = [GET, [...GET, 'cache-control', 'no-cache'], CUSTOM];
const RESPONSES = [
  [':status', '302', 'cache-control', 'private', 'date', DATE, 'location', PLACE],
  [':status', '307', 'cache-control', 'private', 'date', DATE, 'location', PLACE],
  [
    ...[':status', '200', 'cache-control', 'private', 'date', 'Mon, 21 Oct 2013 20:13:22 GMT', 'location', PLACE],
    ...['content-encoding', 'gzip', 'set-cookie', COOKIE],
  ],
];

for (const [example, tableBytes, expected, blocks] of [
  ['C.2.1', 4096, [['custom-key', 'custom-header']], ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572']],
  ['C.2.2', 4096, [[':path', '/sample/path']], ['040c 2f73 616d 706c 652f 7061 7468']],
  ['C.2.3', 4096, [['password', 'secret']], ['1008 7061 7373 776f 7264 0673 6563 7265 74']],
  ['C.2.4', 4096, [[':method', 'GET']], ['82']],
  [
    'C.3',
    4096,
    REQUESTS,
    [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
  ],
  [
    'C.4',
    4096,
    REQUESTS,
    [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
  ],
  [
    'C.5',
    256,
    RESPONSES,
    [
      `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474
       7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a
       4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
    ],
  ],
  [
    'C.6',
    256,
    RESPONSES,
    [
      `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae
       82ae 43d3`,
      '4883 640e ffc1 c0bf',
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960
       d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
    ],
  ],
] as const) {
  test(`the examples of RFC 7541 appendix ${example} are read`, () => {
    const decoder = new HpackDecoder(tableBytes, MANY);
    blocks.forEach((digits, i) => assert.deepEqual(decode(decoder, block(digits)), expected[i]));
  });
}

test('integers are read as in RFC 7541 appendix C.1', () => {
  // As sizes of the table, whose prefix has five bits; then as the length of a string, whose prefix has seven.
  for (const [digits, value] of [
    ['2a', 10],
    ['3f9a0a', 1337],
  ] as const) {
    assert.equal(new HpackDecoder(value, MANY).decode(block(digits), []), Decoded.Well);
    assert.equal(new HpackDecoder(value - 1, MANY).decode(block(digits), []), Decoded.Broken);
  }
  const value = 'v'.repeat(42);
  assert.deepEqual(decode(new HpackDecoder(0, MANY), `\x00\x01n\x2a${value}`), ['n', value]);
});

test('every entry of the static table has its index', () => {
  const all = Array.from({ length: 61 }, (_, i) => String.fromCharCode(0x81 + i)).join('');
  assert.deepEqual(decode(new HpackDecoder(0, MANY), all), STATIC_TABLE);
});

const entry = '4001 6101 62';
for (const [what, section, digits] of [
  ['index 0', '6.1', '80'],
  ['an index beyond the tables', '2.3.3', 'be'],
  ['an index beyond the dynamic table', '2.3.3', `${entry} bf`],
  ['the name of an entry beyond the tables', '2.3.3', '7e 0161'],
  ['an entry that was evicted', '4.4', `3f02 ${entry} 4001 6301 64 bf`],
  ['an entry of a table that was set to nothing', '4.3', `20 ${entry} be`],
  ['a size update behind a field', '4.2', '82 20'],
  ['a third size update', '4.2', '20 21 22'],
  ['a table larger than we let it be', '6.3', '3fe21f'],
  ['an integer that is cut off', '5.1', 'ff'],
  ['an integer that is cut off later', '5.1', 'ff80'],
  ['an integer in more octets than anybody needs', '5.1', 'ff 80808080 00'],
  ['an integer that overflows', '5.1', 'ff ffffffffff7f'],
  ['a literal without a name', '6.2', '40'],
  ['a literal without a value', '6.2', '00 0161'],
  ['a name that is cut off', '5.2', '00 0561'],
  ['a value that is cut off', '5.2', '00 0161 0562'],
  ['a value whose length overflows', '5.2', '00 0161 7fffffffff7f'],
  ['Huffman padding of eight ones', '5.2', '00 0161 82 1fff'],
  ['Huffman padding that is not ones', '5.2', '00 0161 81 18'],
  ['Huffman EOS', '5.2', '00 0161 84 ffffffff'],
  ['Huffman padding of a whole byte only', '5.2', '00 0161 81 ff'],
] as const) {
  test(`${what} breaks the block (RFC 7541 section ${section})`, () => {
    assert.equal(new HpackDecoder(4096, MANY).decode(block(digits), []), Decoded.Broken);
  });
}

test('an empty block has no fields, and may set the size of the table twice', () => {
  assert.deepEqual(decode(new HpackDecoder(4096, MANY), ''), []);
  assert.deepEqual(decode(new HpackDecoder(4096, MANY), block('20 3fe11f')), []);
});

test('a table that has to shrink must be shrunk first (RFC 9113 section 4.3.1)', () => {
  const full = new HpackDecoder(4096, MANY);
  decode(full, block(entry));
  full.setTableLimit(0);
  assert.equal(full.decode(block('82'), []), Decoded.Broken);
  const told = new HpackDecoder(4096, MANY);
  decode(told, block(entry));
  told.setTableLimit(0);
  assert.deepEqual(decode(told, block('20 82')), [':method', 'GET']);
  assert.equal(told.decode(block('be'), []), Decoded.Broken);
});

test('a peer that never used its table need not say that it is smaller now', () => {
  const decoder = new HpackDecoder(4096, MANY);
  decoder.setTableLimit(0);
  assert.deepEqual(decode(decoder, block(`82 ${entry}`)), [':method', 'GET', 'a', 'b']);
  assert.equal(decoder.decode(block('be'), []), Decoded.Broken);
});

test('fields above the bound are not held, and the table stays right', () => {
  // 33 bytes of name and value besides the overhead of 32; the bound lets one such field through.
  const decoder = new HpackDecoder(4096, 70);
  const fields: Fields = [];
  assert.equal(decoder.decode(block(`4001 61 20 ${'62'.repeat(32)} ${'be'.repeat(10_000)} 4001 6301 64`), fields), Decoded.TooLarge);
  assert.deepEqual(fields, ['a', 'b'.repeat(32)]);
  assert.deepEqual(decode(decoder, block('be')), ['c', 'd']);
});

test('the version changes with the table and with nothing else', () => {
  const decoder = new HpackDecoder(4096, MANY);
  const before = decoder.version;
  decode(decoder, block('82 0001 6101 62'));
  assert.equal(decoder.version, before);
  decode(decoder, block(entry));
  const added = decoder.version;
  assert.notEqual(added, before);
  decode(decoder, block('3fe11f be'));
  assert.equal(decoder.version, added);
  decode(decoder, block('20'));
  assert.notEqual(decoder.version, added);
});

test('text of any bytes is the same after Huffman coding, whose length is known before', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (some) => {
      const text = Buffer.from(some).toString('latin1');
      const coded = huffmanEncode(text);
      assert.equal(huffmanDecode(coded, 0, coded.length), text);
      assert.equal(huffmanLength(text), coded.length);
    }),
    { numRuns: 1000 },
  );
  const long = '\x00'.repeat(20_000);
  assert.equal(huffmanDecode(huffmanEncode(long), 0, huffmanLength(long)), long);
});

const anyText = fc.uint8Array({ maxLength: 150 }).map((some) => Buffer.from(some).toString('latin1'));
const names = fc.constantFrom('accept', 'authorization', 'cookie', 'x-own', ':path', ':method', 'content-length', 'x'.repeat(200), 'n');
const values = fc.oneof(anyText, fc.constantFrom('GET', '/', 'gzip, deflate', '', 'v'.repeat(600)));
const anyFields = fc.array(fc.tuple(names, values), { maxLength: 20 }).map((pairs) => pairs.flat());

for (const huffman of [true, false]) {
  test(`what is encoded ${huffman ? 'with' : 'without'} Huffman code is decoded the same`, () => {
    const encoder = new FieldEncoder(huffman);
    const decoder = new HpackDecoder(0, MANY);
    const before = decoder.version;
    fc.assert(
      fc.property(anyFields, (fields) => {
        assert.deepEqual(decode(decoder, NO_TABLE + encoder.block(fields)), fields);
      }),
      { numRuns: 1000 },
    );
    assert.equal(decoder.version, before);
  });
}

test('whatever is no block is refused or read, and never thrown at', () => {
  const decoder = new HpackDecoder(4096, 2000);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (some) => {
      const fields: Fields = [];
      decoder.decode(Buffer.from(some).toString('latin1'), fields);
      assert.equal(fields.length % 2, 0);
    }),
    { numRuns: 5000 },
  );
});

test('secrets are never indexed, and a whole line of the static table is one byte', () => {
  const encoder = new FieldEncoder(true);
  for (const name of ['authorization', 'cookie', 'proxy-authorization', 'set-cookie'])
    assert.equal(encoder.line(name, 'secret').charCodeAt(0) & 0xf0, 0x10);
  assert.equal(encoder.line(':status', '200'), '\x88');
  assert.equal(encoder.line(':status', '418').charCodeAt(0), 8);
});

test('lines are remembered within a bound, however many there are', () => {
  const encoder = new FieldEncoder(false);
  const text = encoder.line('x-kept', 'value');
  for (let i = 0; i < 20_000; i += 1) {
    encoder.line('x-own', `value ${i}`);
    assert.equal(encoder.line('x-kept', 'value'), text);
  }
  assert.equal(encoder.line('x-own', 'value 7'), '\x00\x05x-own\x07value 7');
});

test('blocks are remembered for one state of the table only', () => {
  const memory = new BlockMemory<string>();
  memory.set('block', 1, 'one');
  assert.equal(memory.get('block', 1), 'one');
  assert.equal(memory.get('block', 2), undefined);
  memory.set('other', 2, 'two');
  assert.equal(memory.get('block', 1), undefined);
  memory.set('x'.repeat(5000), 2, 'long');
  assert.equal(memory.get('x'.repeat(5000), 2), undefined);
  for (let i = 0; i < 100; i += 1) memory.set(`block ${i}`, 2, 'many');
  assert.equal(memory.get('block 0', 2), undefined);
});

test('requests as Node encodes them, with its table and its Huffman code, are read', async (t) => {
  const recorder = new FrameRecorder();
  const reader = new FrameReader(recorder, { maxFrame: 16_384, maxBlock: 65_536, maxContinuations: 8 });
  const decoder = new HpackDecoder(4096, MANY);
  const heads: Fields[] = [];
  const wanted: Fields[] = [];
  const { promise: allRead, resolve } = Promise.withResolvers<undefined>();
  recorder.onHeaders = (_streamId, text) => {
    heads.push(decode(decoder, text));
    if (heads.length === 60) resolve(undefined);
  };
  let sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets = [...sockets, socket];
    let prefaceLeft = PREFACE.length;
    socket.write(settingsFrame([]) + SETTINGS_ACK, 'latin1');
    socket.on('data', (chunk: Buffer) => {
      const skip = Math.min(prefaceLeft, chunk.length);
      prefaceLeft -= skip;
      assert.equal(reader.feed(chunk.subarray(skip)), 0);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connectHttp2(`http://127.0.0.1:${port}`);
  client.on('error', () => undefined);
  t.after(() => {
    client.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  for (let i = 0; i < 60; i += 1) {
    // Values of the same names that change now and then: entries are added, used and evicted.
    const own = { 'x-number': `${i % 7}`, 'x-text': 'Zz~'.repeat(i * 3), 'x-bytes': String.fromCharCode(0xa0 + i) };
    wanted.push([
      ':authority',
      `127.0.0.1:${port}`,
      ':method',
      'GET',
      ':path',
      `/${i % 5}`,
      ':scheme',
      'http',
      ...Object.entries(own).flat(),
    ]);
    client.request({ ':path': `/${i % 5}`, ...own }).on('error', () => undefined);
  }
  await allRead;
  assert.deepEqual(
    heads.map((fields) => sorted(fields)),
    wanted.map((fields) => sorted(fields)),
  );
});

function sorted(fields: Fields): string[] {
  return fields.flatMap((_, i) => (i % 2 === 0 ? [`${fields[i] ?? ''}: ${fields[i + 1] ?? ''}`] : [])).sort();
}
