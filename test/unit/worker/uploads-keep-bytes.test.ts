// Request bodies of many clients at once, to endpoints that read slowly: each arrives as it was sent, whatever is read beside it.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as requestPlain } from 'node:http';
import { request as requestSecured } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { makeCertificate } from '../../support/certificates.ts';
import { startH2Origin } from '../../support/h2-origin.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';

/** Sizes around the bounds of what is copied, gathered and read at once. */
const SIZES = [1, 8191, 8192, 8193, 16_384, 16_385, 65_535, 65_536, 65_537, 1_000_000, 3_000_000];

const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The sum of all that comes, taken in sips so that the sender is held back. */
async function sipSum(body: Readable): Promise<string> {
  const hash = createHash('sha256');
  let pieces = 0;
  for await (const piece of body) {
    hash.update(piece as Buffer);
    pieces += 1;
    if (pieces % 4 === 0) await new Promise(setImmediate);
  }
  return hash.digest('hex');
}

interface Upload {
  readonly port: number;
  readonly body: Buffer;
  readonly chunked: boolean;
  readonly ca: Buffer | null;
}

/** The answer's text. */
function upload({ port, body, chunked, ca }: Upload): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { port, host: '127.0.0.1', method: 'PUT', headers: chunked ? {} : { 'content-length': body.length } };
  const request = ca === null ? requestPlain(options) : requestSecured({ ...options, ca });
  request.on('error', reject).on('response', (response) => {
    response.setEncoding('latin1');
    let text = '';
    response
      .on('data', (piece: string) => (text += piece))
      .on('end', () => resolve(text))
      .on('error', reject);
  });
  // In pieces of odd sizes: their ends fall anywhere in what is read.
  for (let at = 0; at < body.length; at += 12_345) request.write(body.subarray(at, at + 12_345));
  request.end();
  return promise;
}

async function uploadAll(port: number, ca: Buffer | null): Promise<void> {
  const bodies = SIZES.flatMap((size) => [false, true].map((chunked) => ({ chunked, body: randomBytes(size) })));
  const answers = await Promise.all(bodies.map(({ chunked, body }) => upload({ port, body, chunked, ca })));
  for (const [index, { body, chunked }] of bodies.entries())
    assert.equal(answers[index], sum(body), `${body.length} bytes${chunked ? ' in chunks' : ''}`);
}

describe('uploads of many clients at once', () => {
  it('reach an HTTP/1.1 endpoint unchanged', async (t) => {
    const origin = await startOrigin(t, (request, response) => void sipSum(request).then((text) => response.end(text)));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    await uploadAll(proxy.port, null);
  });

  it('reach an HTTP/2 endpoint unchanged', async (t) => {
    const origin = await startH2Origin(t, ({ stream }) => {
      void sipSum(stream).then((text) => {
        stream.respond({ ':status': 200 });
        stream.end(text);
      });
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    await uploadAll(proxy.port, null);
  });

  it('come unchanged from TLS clients', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-tls-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const { cert, key } = makeCertificate(directory, { names: ['localhost', '127.0.0.1'] });
    const origin = await startOrigin(t, (request, response) => void sipSum(request).then((text) => response.end(text)));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], listener: { tls: { certificates: [{ cert, key }] } } });
    await uploadAll(proxy.port, readFileSync(cert));
  });
});
