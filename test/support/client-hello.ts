// ClientHellos for tests: those real clients send, caught on a socket, and hand-built ones with exactly the extensions a test wants.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface Extension {
  readonly type: number;
  readonly content: Buffer;
}

const RECORD_BYTES = 16_384;

/** The first bytes a client sends to a port of this machine, whole records only. */
export async function caughtHello(t: TestContext, connectTo: (port: number) => void): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  connectTo((server.address() as AddressInfo).port);
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    socket.destroy();
    server.close();
  });
  socket.on('error', () => undefined);
  let bytes: Buffer = Buffer.alloc(0);
  while (bytes.length < 5 || bytes.length < 5 + bytes.readUInt16BE(3)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
  }
  return bytes;
}

/** The hello of `openssl s_client` with these arguments. */
export function opensslHello(t: TestContext, ...args: readonly string[]): Promise<Buffer> {
  return caughtHello(t, (port) => {
    const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
    t.after(() => client.kill());
  });
}

const uint16 = (value: number): Buffer => Buffer.from([value >>> 8, value & 0xff]);
const uint24 = (value: number): Buffer => Buffer.from([value >>> 16, (value >>> 8) & 0xff, value & 0xff]);
/** Bytes behind their length. */
export const vector8 = (content: Buffer): Buffer => Buffer.concat([Buffer.from([content.length]), content]);
export const vector16 = (content: Buffer): Buffer => Buffer.concat([uint16(content.length), content]);

export const serverNameOf = (name: string): Extension => ({
  type: 0,
  content: vector16(Buffer.concat([Buffer.from([0]), vector16(Buffer.from(name, 'latin1'))])),
});

export const alpnOf = (...names: readonly string[]): Extension => ({
  type: 16,
  content: vector16(Buffer.concat(names.map((name) => vector8(Buffer.from(name, 'latin1'))))),
});

/** The body of a ClientHello; null: without any extensions at all, as before TLS 1.3. */
export function helloBody(extensions: readonly Extension[] | null): Buffer {
  const fixed = [
    uint16(0x0303),
    Buffer.alloc(32, 7),
    vector8(Buffer.alloc(32, 9)),
    vector16(Buffer.from([0x13, 0x01])),
    Buffer.from([1, 0]),
  ];
  if (extensions === null) return Buffer.concat(fixed);
  const listed = extensions.flatMap(({ type, content }) => [uint16(type), vector16(content)]);
  return Buffer.concat([...fixed, vector16(Buffer.concat(listed))]);
}

/** The handshake message around a body. */
export const message = (body: Buffer): Buffer => Buffer.concat([Buffer.from([1]), uint24(body.length), body]);

/** Records that hold a message, cut at these places of it. */
export function records(content: Buffer, ...cuts: readonly number[]): Buffer {
  const places = [0, ...cuts, content.length];
  const parts = places.slice(1).map((end, index) => content.subarray(places[index], end));
  return Buffer.concat(parts.flatMap((part) => [Buffer.from([22, 3, 1]), vector16(part)]));
}

/** One hello as it goes over the wire. */
export function hello(...extensions: readonly Extension[]): Buffer {
  const content = message(helloBody(extensions));
  const cuts = Array.from({ length: Math.ceil(content.length / RECORD_BYTES) - 1 }, (_, index) => (index + 1) * RECORD_BYTES);
  return records(content, ...cuts);
}
