// Bytes on their way through TLS, to clients that read slowly: none is changed, none gets stuck, and connections stay of use.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { makeCertificate, type TestCertificate } from '../../support/certificates.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';

const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function certificate(t: TestContext): TestCertificate {
  const directory = mkdtempSync(join(tmpdir(), 'weir-tls-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return makeCertificate(directory, { names: ['localhost', '127.0.0.1'] });
}

/** Asks for `path` and takes the response in sips, each one at most what the socket holds, with a moment between them. */
async function sip(socket: Socket, path: string): Promise<Buffer> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  // Until the way is full: the endpoint is held back in the middle of what was read from it.
  await delay(100);
  const pieces: Buffer[] = [];
  for await (const piece of socket) {
    pieces.push(piece as Buffer);
    if (pieces.length % 32 === 0) await delay(5);
  }
  const all = Buffer.concat(pieces);
  return all.subarray(all.indexOf('\r\n\r\n') + 4);
}

describe('a large response', () => {
  it('from a TLS endpoint reaches a slow client unchanged', async (t) => {
    const { cert, key } = certificate(t);
    const body = randomBytes(16 * 1024 * 1024);
    const tls = { cert: readFileSync(cert), key: readFileSync(key) };
    const origin = await startOrigin(t, (_request, response) => void response.setHeader('content-length', body.length).end(body), { tls });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], cluster: { tls: { ca: cert } } });
    const received = await sip(connect(proxy.port, '127.0.0.1'), '/');
    assert.equal(received.length, body.length);
    assert.equal(sum(received), sum(body));
  });

  it('leaves the connection to the endpoint of use, though its last bytes are still on the way to a TLS client', async (t) => {
    const { cert, key } = certificate(t);
    const body = randomBytes(20_000);
    const ports = new Set<number | undefined>();
    const origin = await startOrigin(t, (request, response) => {
      ports.add(request.socket.remotePort);
      response.setHeader('content-length', body.length).end(body);
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], listener: { tls: { certificates: [{ cert, key }] } } });
    for (let i = 0; i < 3; i += 1) {
      const received = await sip(connectTls({ port: proxy.port, host: '127.0.0.1', ca: readFileSync(cert) }), `/${i}`);
      assert.equal(sum(received), sum(body));
    }
    assert.equal(ports.size, 1);
  });

  it('in chunks goes on through a TLS listener, however they are cut', async (t) => {
    const { cert, key } = certificate(t);
    const piece = Buffer.alloc(20_000, 'x');
    const origin = await startOrigin(t, (_request, response) => {
      let left = 5;
      const next = (): void => {
        left -= 1;
        if (left < 0) response.end('all there');
        else response.write(piece, () => setTimeout(next, 10));
      };
      next();
    });
    const proxy = await startProxy(t, {
      endpoints: [origin.endpoint],
      listener: { tls: { certificates: [{ cert, key }] }, timeouts: { write: '1s' } },
    });
    const received = await sip(connectTls({ port: proxy.port, host: '127.0.0.1', ca: readFileSync(cert) }), '/');
    assert.ok(received.toString('latin1').endsWith('all there\r\n0\r\n\r\n'));
  });
});
