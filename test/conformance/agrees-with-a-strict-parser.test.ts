// Thousands of byte sequences, read by the engine and by Node's strict parser: the engine takes nothing that the other refuses, and never two requests for one.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startOrigin, type Answer } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';
import { Doubt, readAs } from '../../balancer/message/path-readings.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { RequestMangler } from '../support/mangled-requests.ts';
import { disagreement, knownToNode, readByEngine, StrictNode } from '../support/two-readers.ts';
import { post } from './corpus/form.ts';
import { REQUEST_CHUNKS } from './corpus/request-chunks.ts';
import { REQUEST_HEADS } from './corpus/request-heads.ts';
import { REQUEST_LENGTHS } from './corpus/request-lengths.ts';
import { SOUND_SEQUENCES } from './corpus/request-sequences.ts';

const GENERATED = 6000;
/** How often each listed sequence is mangled, besides being read as it is. */
const TIMES = 8;
/** So many at the same time: a turn of the event loop serves all of them. */
const AT_ONCE = 100;

const LISTED: readonly string[] = [
  ...[...REQUEST_LENGTHS, ...REQUEST_HEADS, ...SOUND_SEQUENCES].map(({ bytes }) => bytes),
  ...REQUEST_CHUNKS.map(({ bytes }) => `${post('Transfer-Encoding: chunked')}${bytes}`),
];

test(`the engine reads ${GENERATED} mangled requests as a strict parser does, or refuses them`, async () => {
  const mangler = new RequestMangler(seededRandom(20_261));
  const { understood, refused } = await readTwice(Array.from({ length: GENERATED }, () => mangler.next()));
  // Neither may be rare, or nothing was compared.
  assert.ok(understood > GENERATED / 2, `only ${understood} requests were understood`);
  assert.ok(refused > GENERATED / 5, `only ${refused} sequences were refused`);
});

test('so it reads every listed sequence, and each of them mangled', async () => {
  const mangler = new RequestMangler(seededRandom(9112));
  const mangled = LISTED.flatMap((bytes) => Array.from({ length: TIMES }, () => mangler.mutate(bytes)));
  const { understood } = await readTwice([...LISTED, ...mangled]);
  assert.ok(understood > LISTED.length, `only ${understood} requests were understood`);
});

/** Fails on the first sequence of which the engine takes more than the strict parser, or takes it differently. */
async function readTwice(sequences: readonly string[]): Promise<{ readonly understood: number; readonly refused: number }> {
  const nodes = Array.from({ length: AT_ONCE }, () => new StrictNode());
  let understood = 0;
  let refused = 0;
  for (let at = 0; at < sequences.length; at += AT_ONCE) {
    await Promise.all(
      nodes.map(async (node, index) => {
        const bytes = sequences[at + index] ?? '';
        const reading = await readByEngine([bytes]);
        const problem = disagreement(reading.requests, await node.read(bytes));
        if (problem !== null && knownToNode(reading.requests)) assert.fail(`${problem}\n${JSON.stringify(bytes)}`);
        understood += reading.requests.length;
        refused += reading.refused;
      }),
    );
  }
  return { understood, refused };
}

const THROUGH = 1500;

/** What came out at the other end of the data plane. */
interface Delivered {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

test(`of ${THROUGH} mangled sequences exactly the requests that were understood arrive at the origin, each once`, async (t) => {
  const delivered: Delivered[] = [];
  const origin = await startOrigin(t, recordingInto(delivered));
  const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
  const mangler = new RequestMangler(seededRandom(9110));
  for (let count = 0; count < THROUGH; count += 1) {
    const bytes = mangler.next();
    const { requests, sent } = await readByEngine([bytes]);
    if (!knownToNode(requests)) continue;
    const expected = requests
      .filter(({ complete }) => complete)
      .map(({ method, target, body }) => ({ method, target: merged(target), body }));
    // A request too many would stand at the head of those of the next sequence.
    const before = delivered.length;
    await speak(proxy.port, mangler.cut(bytes), answersIn(sent));
    assert.deepEqual(delivered.slice(before), expected, JSON.stringify(bytes));
  }
  assert.deepEqual(origin.misread, []);
  assert.ok(delivered.length > THROUGH / 2, `only ${delivered.length} requests arrived`);
});

/** Slashes are merged by default when the route is known. */
function merged(target: string): string {
  const [path = '', ...query] = target.split('?');
  return [readAs(path, Doubt.DoubleSlash), ...query].join('?');
}

/** Answers when the request is complete, and notes it. */
function recordingInto(delivered: Delivered[]): Answer {
  return (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    request.on('error', () => undefined);
    request.on('end', () => {
      delivered.push({ method: request.method ?? '', target: request.url ?? '', body });
      response.end();
    });
  };
}

/** Sends the pieces on a connection of their own, and leaves when so many answers have come or the other side ends. */
async function speak(port: number, pieces: readonly string[], answers: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    if (answersIn(received) >= answers) resolve(undefined);
  });
  for (const event of ['end', 'close', 'error']) socket.on(event, () => resolve(undefined));
  for (const piece of pieces) socket.write(piece, 'latin1');
  if (answers > 0) await promise;
  socket.destroy();
  assert.equal(answersIn(received), answers, JSON.stringify(pieces.join('')));
}

/** Whole answers, those of weir itself included, and no interim ones. */
function answersIn(sent: string): number {
  return sent.match(/HTTP\/1\.1 [2-5]/g)?.length ?? 0;
}
