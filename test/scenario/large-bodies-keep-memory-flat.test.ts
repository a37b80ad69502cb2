// Bodies flow through with back-pressure: what a worker holds does not grow with what passes. LARGE_BODY_MIB=1024 for the long run.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { startOrigin } from '../support/origin.ts';

const MIB = 1024 * 1024;
const SIZE_MIB = Number(process.env['LARGE_BODY_MIB'] ?? 128);
/** Memory that V8 has not given back yet may differ between two passes; a body that piled up would show as a large part of its size. */
const ALLOWED_GROWTH_MIB = 32;
const PIECE = Buffer.alloc(65_536, 'w');

/** Writes `bytes` as fast as the reader takes them. */
function pour(into: NodeJS.WritableStream, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0) {
      const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
      left -= piece.length;
      if (!into.write(piece)) {
        into.once('drain', more);
        return;
      }
    }
    into.end();
  };
  more();
}

function count(from: IncomingMessage): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    from.on('data', (chunk: Buffer) => (bytes += chunk.length));
    from.once('end', () => resolve(bytes));
    from.once('error', reject);
  });
}

/** GET /SIZE answers with so many bytes; PUT answers with how many came. `?chunked` leaves the length out. */
function answer(incoming: IncomingMessage, response: ServerResponse): void {
  const url = new URL(incoming.url ?? '/', 'http://origin');
  if (incoming.method === 'PUT') {
    void count(incoming).then((bytes) => response.end(String(bytes)));
    return;
  }
  const bytes = Number(url.pathname.slice(1));
  if (!url.searchParams.has('chunked')) response.setHeader('content-length', bytes);
  pour(response, bytes);
}

function download(appliance: Appliance, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(new URL(path, appliance.url()), { agent: false }, (response) => resolve(count(response)))
      .once('error', reject)
      .end();
  });
}

function upload(appliance: Appliance, bytes: number, chunked: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': bytes };
    const outgoing = request(new URL('/', appliance.url()), { agent: false, method: 'PUT', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve(Number(text)));
    });
    outgoing.once('error', reject);
    pour(outgoing, bytes);
  });
}

function peakMib(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

async function start(t: TestContext): Promise<Appliance> {
  const origin = await startOrigin(t, answer);
  return startAppliance(t, {
    workers: 1,
    yaml: `version: 1
clusters: { one: { endpoints: ["${origin.endpoint}"], health: none } }
services: { files: { versions: { blue: { clusters: { one: {} } } } } }
routes: [ { name: all, match: { path: / }, service: files } ]
`,
  });
}

describe(`a body of ${SIZE_MIB} MiB`, () => {
  for (const framing of ['length', 'chunks'] as const) {
    it(`passes both ways with ${framing} and leaves the memory of the worker as it was`, async (t) => {
      const appliance = await start(t);
      const bytes = SIZE_MIB * MIB;
      const chunked = framing === 'chunks';
      const pass = async (): Promise<number> => {
        assert.equal(await download(appliance, `/${bytes}${chunked ? '?chunked' : ''}`), bytes);
        assert.equal(await upload(appliance, bytes, chunked), bytes);
        return peakMib(appliance.pids().workers[0] ?? 0);
      };
      const first = await pass();
      const second = await pass();
      t.diagnostic(`peak resident memory of the worker: ${first.toFixed(0)} MiB after one pass, ${second.toFixed(0)} MiB after two`);
      assert.ok(second - first < ALLOWED_GROWTH_MIB, `grew from ${first} to ${second} MiB`);
    });
  }

  it('waits for a client that does not read, instead of piling up', async (t) => {
    const appliance = await start(t);
    const worker = appliance.pids().workers[0] ?? 0;
    await download(appliance, `/${8 * MIB}`);
    const before = peakMib(worker);
    const held = await new Promise<IncomingMessage>((resolve, reject) => {
      request(new URL(`/${SIZE_MIB * MIB}`, appliance.url()), { agent: false }, resolve)
        .once('error', reject)
        .end();
    });
    // Requests that come after it are answered: enough turns for anything that would pile up.
    for (let i = 0; i < 50; i += 1) await download(appliance, `/${MIB}`);
    const after = peakMib(worker);
    held.destroy();
    assert.ok(after - before < ALLOWED_GROWTH_MIB + 2, `grew from ${before} to ${after} MiB`);
  });
});
