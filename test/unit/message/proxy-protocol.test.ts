// The header of the PROXY protocol: what is a header, what is none, what is broken, and that no byte beyond it is ever taken.
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { plainAddress } from '../../../balancer/message/client-address.ts';
import { crc32c, proxyHeader, readProxyHeader, type ProxyEnds, type ProxyHeader } from '../../../balancer/message/proxy-protocol.ts';

const read = (text: string): ProxyHeader => readProxyHeader(Buffer.from(text, 'latin1'));
const ends = (source: string, destination: string, sourcePort = 56324, destinationPort = 443): ProxyEnds => ({
  source: { address: source, port: sourcePort },
  destination: { address: destination, port: destinationPort },
});

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** A header of version 2 from its parts; `length` is what it says, by default the truth. */
function v2(command: number, family: number, body: Buffer, length = body.length): Buffer {
  return Buffer.concat([SIGNATURE, Buffer.from([command, family, length >> 8, length & 0xff]), body]);
}

const FOUR = Buffer.from('c0000201c6336407dc0401bb', 'hex');
const tlv = (type: number, value: Buffer): Buffer => Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);

/** With a checksum behind `body`; `flip` spoils it. */
function withChecksum(body: Buffer, flip = 0): Buffer {
  const header = v2(0x21, 0x11, Buffer.concat([body, tlv(0x03, Buffer.alloc(4))]));
  header.writeUInt32BE((crc32c(header) ^ flip) >>> 0, header.length - 4);
  return header;
}

const kindOf = (bytes: Buffer): string => readProxyHeader(bytes).kind;

test('version 1 tells the ends of the connection', () => {
  const line = 'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n';
  assert.deepEqual(read(`${line}GET / HTTP/1.1\r\n`), { kind: 'header', length: line.length, ends: ends('192.0.2.1', '198.51.100.7') });
  const six = 'PROXY TCP6 2001:db8::1 ::1 56324 443\r\n';
  assert.deepEqual(read(six), { kind: 'header', length: six.length, ends: ends('2001:db8::1', '::1') });
});

test('version 1 may not know', () => {
  assert.deepEqual(read('PROXY UNKNOWN\r\nrest'), { kind: 'header', length: 15, ends: null });
  const ignored = 'PROXY UNKNOWN ffff::1 whatever\r\n';
  assert.deepEqual(read(ignored), { kind: 'header', length: ignored.length, ends: null });
});

test('version 1 is taken exactly as it is written', () => {
  const broken = [
    'PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 1\r\n',
    'PROXY TCP4  192.0.2.1 198.51.100.7 56324 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 \r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 056324 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.7 -1 443\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.7 1 443\r\n',
    'PROXY TCP4 192.000.2.1 198.51.100.7 1 443\r\n',
    'PROXY TCP4 2001:db8::1 2001:db8::2 1 443\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.7 1 443\r\n',
    'PROXY TCP6 fe80::1%lo fe80::2 1 443\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.7 1 443\r\n',
    'PROXY tcp4 192.0.2.1 198.51.100.7 1 443\r\n',
    'PROXY \r\n',
    `PROXY UNKNOWN ${'x'.repeat(107)}`,
    'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\nGET / HTTP/1.1\r\n',
  ];
  for (const text of broken) assert.equal(read(text).kind, 'malformed', JSON.stringify(text));
});

test('what begins otherwise is no header', () => {
  for (const text of [
    'GET / HTTP/1.1\r\n',
    '\x16\x03\x01',
    'PROXX',
    'proxy TCP4 ',
    '\r\n\r\nGET',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'POST / HTTP/1.1',
  ])
    assert.equal(read(text).kind, 'absent', JSON.stringify(text));
  for (const text of ['', 'P', 'PROXY', '\r\n\r\n', 'PROXY TCP4 192.0.2.1 '])
    assert.equal(read(text).kind, 'incomplete', JSON.stringify(text));
});

test('version 2 tells the ends of the connection', () => {
  assert.deepEqual(readProxyHeader(Buffer.concat([v2(0x21, 0x11, FOUR), Buffer.from('rest')])), {
    kind: 'header',
    length: 28,
    ends: ends('192.0.2.1', '198.51.100.7'),
  });
  const six = Buffer.from('20010db8000000000000000000000001fe8000000000000000010000000000ffdc0401bb', 'hex');
  assert.deepEqual(readProxyHeader(v2(0x21, 0x21, six)), { kind: 'header', length: 52, ends: ends('2001:db8::1', 'fe80::1:0:0:ff') });
  const mapped = Buffer.from('00000000000000000000ffffc000020100000000000000000000ffffc6336407dc0401bb', 'hex');
  assert.deepEqual(readProxyHeader(v2(0x21, 0x21, mapped)), { kind: 'header', length: 52, ends: ends('192.0.2.1', '198.51.100.7') });
});

test('version 2 may speak for the proxy itself, or of a family without addresses', () => {
  assert.deepEqual(readProxyHeader(v2(0x20, 0x00, Buffer.alloc(0))), { kind: 'header', length: 16, ends: null });
  assert.deepEqual(readProxyHeader(v2(0x20, 0xff, Buffer.from('skipped whatever it is'))), { kind: 'header', length: 38, ends: null });
  assert.deepEqual(readProxyHeader(v2(0x21, 0x00, Buffer.from('unspecified'))), { kind: 'header', length: 27, ends: null });
  assert.deepEqual(readProxyHeader(v2(0x21, 0x31, Buffer.alloc(216))), { kind: 'header', length: 232, ends: null });
});

test('version 2 skips extensions, and checks the checksum where there is one', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283, 'the check value of CRC32C');
  const extensions = Buffer.concat([FOUR, tlv(0x01, Buffer.from('h2')), tlv(0x04, Buffer.alloc(0)), tlv(0xea, Buffer.alloc(300))]);
  assert.deepEqual(readProxyHeader(v2(0x21, 0x11, extensions)), {
    kind: 'header',
    length: 16 + extensions.length,
    ends: ends('192.0.2.1', '198.51.100.7'),
  });
  assert.equal(kindOf(withChecksum(extensions)), 'header');
  assert.equal(kindOf(withChecksum(extensions, 1)), 'malformed');
});

test('version 2 is taken exactly as it is written', () => {
  const broken: Readonly<Record<string, Buffer>> = {
    'another version': v2(0x11, 0x11, FOUR),
    'another command': v2(0x22, 0x11, FOUR),
    'another family': v2(0x21, 0x41, FOUR),
    'another transport': v2(0x21, 0x13, FOUR),
    datagrams: v2(0x21, 0x12, FOUR),
    'shorter than its addresses': v2(0x21, 0x11, FOUR.subarray(0, 11)),
    'shorter than the addresses of its family': v2(0x21, 0x21, FOUR),
    'an extension without its length': v2(0x21, 0x11, Buffer.concat([FOUR, Buffer.from([0xea, 0])])),
    'an extension beyond the header': v2(0x21, 0x11, Buffer.concat([FOUR, Buffer.from([0xea, 0, 9, 1])])),
    'a checksum of three bytes': v2(0x21, 0x11, Buffer.concat([FOUR, tlv(0x03, Buffer.alloc(3))])),
    'too long': v2(0x21, 0x11, FOUR, 4097),
  };
  for (const [why, bytes] of Object.entries(broken)) assert.equal(kindOf(bytes), 'malformed', why);
});

test('a header is incomplete until its last byte, and the same however the bytes come', () => {
  const headers = [
    Buffer.from('PROXY TCP6 2001:db8::1 ::1 56324 443\r\n'),
    Buffer.from('PROXY UNKNOWN\r\n'),
    withChecksum(Buffer.concat([FOUR, tlv(0x20, Buffer.alloc(40))])),
    v2(0x20, 0, Buffer.alloc(0)),
  ];
  for (const header of headers) {
    for (let length = 0; length < header.length; length += 1) assert.equal(kindOf(header.subarray(0, length)), 'incomplete', `${length}`);
    const result = readProxyHeader(Buffer.concat([header, Buffer.from('\r\n\0more')]));
    assert.equal(result.kind === 'header' && result.length, header.length);
  }
});

const address = fc.oneof(fc.ipV4(), fc.ipV6());
const port = fc.integer({ min: 0, max: 65_535 });

/** One text for one address: what a URL makes of it. */
const normal = (text: string): string => {
  const plain = isIP(text) === 4 ? text : new URL(`http://[${text}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(plain);
  if (mapped === null) return plainAddress(plain);
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
};

test('what is written is what is read, for all addresses and ports', () => {
  fc.assert(
    fc.property(fc.constantFrom('v1', 'v2'), address, address, fc.tuple(port, port), (version, source, destination, [from, to]) => {
      const header = proxyHeader(version, ends(source, destination, from, to));
      const result = readProxyHeader(Buffer.concat([header, Buffer.from('GET')]));
      assert.ok(result.kind === 'header' && result.ends !== null, JSON.stringify(result));
      assert.equal(result.length, header.length);
      const { ends: told } = result;
      assert.deepEqual([normal(told.source.address), normal(told.destination.address)], [normal(source), normal(destination)]);
      assert.deepEqual([told.source.port, told.destination.port], [from, to]);
    }),
  );
  for (const version of ['v1', 'v2'] as const) {
    const zoned = readProxyHeader(proxyHeader(version, ends('fe80::1%lo', '192.0.2.1')));
    assert.equal(zoned.kind === 'header' && zoned.ends?.source.address, 'fe80::1', 'a zone means nothing elsewhere');
    const own = proxyHeader(version, null);
    assert.deepEqual(readProxyHeader(own), { kind: 'header', length: own.length, ends: null });
  }
});

test('whatever comes, the answer is one of four, within the bytes that are there and within the bound', () => {
  const started = fc
    .tuple(fc.constantFrom(SIGNATURE, Buffer.from('PROXY '), v2(0x21, 0x11, FOUR), Buffer.alloc(0)), fc.uint8Array({ maxLength: 300 }))
    .map(([begin, rest]) => Buffer.concat([begin, rest]));
  fc.assert(
    fc.property(started, fc.nat(), fc.integer({ min: 0, max: 255 }), (bytes, at, value) => {
      if (bytes.length > 0) bytes[at % bytes.length] = value;
      const result = readProxyHeader(bytes);
      if (result.kind === 'header') {
        assert.ok(result.length > 0 && result.length <= bytes.length);
        if (result.ends !== null) assert.ok(isIP(result.ends.source.address) > 0 && isIP(result.ends.destination.address) > 0);
        // What follows a header never changes it.
        assert.deepEqual(readProxyHeader(bytes.subarray(0, result.length)), result);
      }
      if (result.kind === 'incomplete') assert.ok(bytes.length < 16 + 4096);
    }),
    { numRuns: 5000 },
  );
});
