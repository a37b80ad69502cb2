// Short answers are read into memory that all connections share: what their clients do not take at once outlasts the reads of the others.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { windowUpdateFrame } from '../../../balancer/http2/frame.ts';
import { connectH2, head } from '../../support/h2-client.ts';
import { startRawOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';

const SETTINGS_INITIAL_WINDOW = 4;
const LARGE = 64 * 1_048_576;
const FLOOD = Buffer.alloc(65_536, 'f');
const FLOODS = 256;

const asking = (streamId: number, path: string): Buffer =>
  head(streamId, [':method', 'GET', ':scheme', 'http', ':path', path, ':authority', 'a']);

/** An origin that answers `/flood` with 16 MB of `f` as fast as they are taken, `/30k` with 30 KB of `b`, and all else with 7 KB of `z`. */
async function startAnswers(t: TestContext): Promise<{ readonly endpoint: string; readonly untilFloodIsHeld: () => Promise<void> }> {
  let flooded = 0;
  const origin = await startRawOrigin(t, (exchange) => {
    const { socket, received } = exchange;
    if (!received.endsWith('\r\n\r\n')) return;
    exchange.received = '';
    const path = received.split(' ')[1] ?? '';
    const body = path === '/30k' ? 'b'.repeat(30_000) : 'z'.repeat(7000);
    const length = path === '/flood' ? FLOOD.length * FLOODS : body.length;
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`;
    // In one piece: what is read with the head lies where heads are read to.
    socket.write(path === '/flood' ? head : head + body, 'latin1');
    if (path !== '/flood') return;
    const flood = (): void => {
      while (flooded < FLOODS) {
        flooded += 1;
        if (!socket.write(FLOOD)) break;
      }
    };
    socket.on('drain', flood);
    flood();
  });
  const untilFloodIsHeld = async (): Promise<void> => {
    let before = -1;
    while (before !== flooded) {
      before = flooded;
      await delay(200);
    }
    assert.ok(flooded > 0 && flooded < FLOODS, `${flooded} pieces of the flood have left`);
  };
  return { endpoint: origin.endpoint, untilFloodIsHeld };
}

test('an answer whose client does not read it is as it was sent, whatever others are sent meanwhile', async (t) => {
  const { endpoint, untilFloodIsHeld } = await startAnswers(t);
  const proxy = await startProxy(t, { endpoints: [endpoint], listener: { http2: { enabled: true } } });
  const client = await connectH2(t, proxy.port, [SETTINGS_INITIAL_WINDOW, LARGE]);
  const other = await connectH2(t, proxy.port);
  client.send(windowUpdateFrame(0, LARGE), asking(1, '/flood'));
  await client.until(() => client.response(1).body.length > 0, 'the flood');
  client.socket.pause();
  await untilFloodIsHeld();
  client.send(asking(3, '/30k'), asking(5, '/30k'));
  for (const streamId of [1, 3, 5, 7, 9]) {
    other.send(asking(streamId, '/others'));
    assert.ok((await other.untilAnswered(streamId)).body === 'z'.repeat(7000));
  }
  client.socket.resume();
  for (const streamId of [3, 5]) assert.ok((await client.untilAnswered(streamId)).body === 'b'.repeat(30_000), `stream ${streamId}`);
  assert.ok((await client.untilAnswered(1)).body === 'f'.repeat(FLOOD.length * FLOODS));
});
