// What a TLS client asks for is read from its first bytes, however they are cut, and what is no ClientHello is refused.
import assert from 'node:assert/strict';
import { connect } from 'node:tls';
import { describe, it } from 'node:test';
import { ClientHelloReader, fatalAlert, MAX_HELLO_BYTES } from '../../../balancer/listener/client-hello.ts';
import {
  alpnOf,
  caughtHello,
  hello,
  helloBody,
  message,
  opensslHello,
  records,
  serverNameOf,
  vector16,
} from '../../support/client-hello.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const SHOP = hello(serverNameOf('shop.example.com'), alpnOf('h2', 'http/1.1'));
const SHOP_MESSAGE = message(helloBody([serverNameOf('shop.example.com'), alpnOf('h2', 'http/1.1')]));
const UNDERSTOOD = { serverName: 'shop.example.com', alpn: ['h2', 'http/1.1'] };

/** What becomes of segments: what was understood, or what is wrong with it, or that more is needed. */
function read(...segments: readonly Buffer[]): unknown {
  const reader = new ClientHelloReader();
  let decided = false;
  for (const segment of segments) decided = reader.push(segment);
  assert.deepEqual(reader.bytes(), Buffer.concat(segments), 'what came can be sent on unchanged');
  assert.equal(decided, reader.hello !== null || reader.problem !== '');
  return reader.hello ?? (reader.problem === '' ? 'more' : reader.problem);
}

const bytewise = (bytes: Buffer): readonly Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

describe('a ClientHello is read', () => {
  it('with every split into two segments, and byte by byte', () => {
    for (let at = 1; at < SHOP.length; at += 1) {
      assert.equal(read(SHOP.subarray(0, at)), 'more', `after ${at} bytes`);
      assert.deepEqual(read(SHOP.subarray(0, at), SHOP.subarray(at)), UNDERSTOOD, `cut at ${at}`);
    }
    assert.deepEqual(read(...bytewise(SHOP)), UNDERSTOOD);
  });

  it('with every split into two records, each of these in two segments and byte by byte', () => {
    const random = seededRandom(7);
    for (let cut = 1; cut < SHOP_MESSAGE.length; cut += 1) {
      const bytes = records(SHOP_MESSAGE, cut);
      const at = 1 + Math.floor(random() * (bytes.length - 1));
      assert.deepEqual(read(bytes), UNDERSTOOD, `record cut at ${cut}`);
      assert.deepEqual(read(bytes.subarray(0, at), bytes.subarray(at)), UNDERSTOOD, `record cut at ${cut}, segment at ${at}`);
    }
    const everywhere = records(SHOP_MESSAGE, ...Array.from({ length: SHOP_MESSAGE.length - 1 }, (_, index) => index + 1));
    assert.deepEqual(read(everywhere), UNDERSTOOD);
    assert.deepEqual(read(...bytewise(everywhere)), UNDERSTOOD);
  });

  it('as Node sends it', async (t) => {
    const bytes = await caughtHello(t, (port) => {
      const socket = connect({ port, host: '127.0.0.1', servername: 'Node.Example.com', ALPNProtocols: ['h2', 'acme'] });
      socket.on('error', () => undefined);
      t.after(() => socket.destroy());
    });
    assert.deepEqual(read(bytes), { serverName: 'node.example.com', alpn: ['h2', 'acme'] });
  });

  it('as openssl sends it: with TLS 1.3 and 1.2, without a name, without extensions that matter here', async (t) => {
    assert.deepEqual(read(await opensslHello(t, '-servername', 'a.example', '-alpn', 'imap')), { serverName: 'a.example', alpn: ['imap'] });
    assert.deepEqual(read(await opensslHello(t, '-servername', 'b.example', '-tls1_2')), { serverName: 'b.example', alpn: [] });
    assert.deepEqual(read(await opensslHello(t, '-noservername')), { serverName: '', alpn: [] });
  });

  it('as an old client sends it, without any extensions', () => {
    assert.deepEqual(read(records(message(helloBody(null)))), { serverName: '', alpn: [] });
    assert.deepEqual(read(hello()), { serverName: '', alpn: [] });
  });

  it('with GREASE among extensions and protocols, which is passed over', () => {
    const grease = { type: 0x1a1a, content: Buffer.from([0]) };
    const bytes = hello(grease, alpnOf('\x0a\x0a', 'h2'), serverNameOf('a.example'), { type: 0xbaba, content: Buffer.alloc(0) });
    assert.deepEqual(read(bytes), { serverName: 'a.example', alpn: ['h2'] });
  });

  it('with encrypted ClientHello: the name outside is the one that counts', () => {
    // Type outer, a suite, a config id, an empty key, a payload: nothing of it can be read here, and nothing has to.
    const encrypted = { type: 0xfe0d, content: Buffer.concat([Buffer.from([0, 0, 1, 0, 1, 42, 0, 0]), vector16(Buffer.alloc(200, 0xee))]) };
    assert.deepEqual(read(hello(encrypted, serverNameOf('public.example'))), { serverName: 'public.example', alpn: [] });
  });

  it('in lower case and without the dot of the root', () => {
    assert.deepEqual(read(hello(serverNameOf('SHOP.Example.COM.'))), { serverName: 'shop.example.com', alpn: [] });
  });

  it('up to the end of the message: early data behind its record is kept and not looked at', () => {
    assert.deepEqual(read(Buffer.concat([SHOP, Buffer.from('anything')])), UNDERSTOOD);
  });
});

describe('what is no ClientHello is refused', () => {
  const padding = (bytes: number): Buffer => hello({ type: 21, content: Buffer.alloc(bytes) });

  it('at its first byte: HTTP, SSH, SSL 2, an alert', () => {
    const foreign = 'the connection does not begin with a TLS handshake';
    for (const start of ['GET / HTTP/1.1\r\n', 'SSH-2.0-OpenSSH_9.6\r\n', '\x15\x03\x01\x00\x02\x02\x28'])
      assert.equal(read(Buffer.from(start, 'latin1')), foreign, start);
    assert.equal(read(Buffer.from([0x80, 0x2e, 0x01, 0x00, 0x02])), 'the client speaks SSL 2');
    assert.equal(read(Buffer.from('G')), foreign);
  });

  it('when record or message are of another kind, version or length', () => {
    assert.equal(read(Buffer.from([22, 2])), 'the record is of no known version of TLS');
    assert.equal(read(Buffer.from([22, 3, 1, 0, 0])), 'the length of a record is not possible');
    assert.equal(read(Buffer.from([22, 3, 1, 0x40, 0x01])), 'the length of a record is not possible');
    assert.equal(read(Buffer.from([22, 3, 1, 0, 5, 2])), 'the first message of the handshake is no ClientHello');
    assert.equal(read(Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 0])), 'the hello is empty');
    const dtls = helloBody([]);
    dtls[0] = 0xfe;
    assert.equal(read(records(message(dtls))), 'the hello is of no known version of TLS');
  });

  it('beyond the bound: at once when it says so, else when it gets there', () => {
    const fits = padding(MAX_HELLO_BYTES - padding(0).length);
    assert.equal(fits.length, MAX_HELLO_BYTES);
    assert.deepEqual(read(fits), { serverName: '', alpn: [] });
    const long = `the hello is longer than ${MAX_HELLO_BYTES} bytes`;
    assert.equal(read(padding(MAX_HELLO_BYTES - padding(0).length + 1)), long);
    assert.equal(read(Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x40, 1])), long);
    // Six bytes on the wire for each of the message: the framing counts too.
    const body = message(helloBody([{ type: 21, content: Buffer.alloc(3000) }]));
    assert.equal(read(records(body, ...Array.from({ length: body.length - 1 }, (_, index) => index + 1))), long);
  });

  it('when something follows it in its record', () => {
    assert.equal(read(records(Buffer.concat([SHOP_MESSAGE, Buffer.from([0])]))), 'something follows the hello in its record');
  });

  it('when any of its parts does not end where it says', () => {
    const body = helloBody([serverNameOf('a.example')]);
    for (let length = 1; length < body.length; length += 1) {
      // Exactly what a hello without extensions is.
      if (length === helloBody(null).length) continue;
      assert.equal(typeof read(records(message(body.subarray(0, length)))), 'string', `cut off after ${length} bytes`);
    }
    assert.equal(typeof read(records(message(Buffer.concat([body, Buffer.from([0])])))), 'string', 'one byte more');
  });

  it('when a name or the protocols are malformed, or there twice', () => {
    const nameBytes = (text: string): Buffer => Buffer.from(text, 'latin1');
    const listed = (...entries: readonly Buffer[]): Buffer => hello({ type: 0, content: vector16(Buffer.concat(entries)) });
    const entry = (type: number, name: string): Buffer => Buffer.concat([Buffer.from([type]), vector16(nameBytes(name))]);
    const malformed = 'the server name is malformed';
    assert.equal(read(listed()), malformed);
    assert.equal(read(listed(entry(0, ''))), malformed);
    assert.equal(read(listed(entry(1, 'a.example'))), malformed);
    assert.equal(read(listed(entry(0, 'a.example'), entry(0, 'b.example'))), malformed);
    assert.equal(read(listed(entry(0, 'a'.repeat(256)))), malformed);
    for (const name of ['a b', 'a\0.example', '.a', 'a\n', 'a/b', '[::1]', 'ä.example', '-a'])
      assert.equal(read(hello(serverNameOf(name))), malformed, JSON.stringify(name));
    assert.equal(read(hello(serverNameOf('a'), serverNameOf('b'))), 'extension 0 is there twice');
    assert.equal(read(hello({ type: 16, content: vector16(Buffer.alloc(0)) })), 'the list of application protocols is malformed');
    assert.equal(read(hello(alpnOf('h2', ''))), 'the list of application protocols is malformed');
  });

  it('whatever a byte of it is turned into: understood or refused, and never more than was sent', () => {
    const random = seededRandom(11);
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = Buffer.from(SHOP);
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      const reader = new ClientHelloReader();
      reader.push(bytes);
      if (reader.hello !== null) assert.match(reader.hello.serverName, /^[a-z0-9_.-]*$/);
    }
  });
});

it('an alert is a record of seven bytes', () => {
  assert.deepEqual([...fatalAlert('unrecognized_name')], [21, 3, 3, 0, 2, 2, 112]);
});
