// Who accepts from which listening socket, as workers come, go and change their config.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { BoundSocket, createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../health/clock.ts';
import { ListeningSockets } from '../../balancer/listening-sockets.ts';
import { freePort } from '../support/free-port.ts';

const WEB = { type: 'listen', address: 'web', host: '127.0.0.1' } as const;

/** The sockets under test, and what the worker in each place has been told to accept from. */
function start(t: TestContext, spread?: boolean) {
  const accepts: Record<string, Set<number>> = { w1: new Set(), w2: new Set(), w3: new Set() };
  const refused: string[] = [];
  const sockets = new ListeningSockets(
    (place, message, socket) => {
      assert.equal(
        message.type === 'accept',
        socket !== undefined,
        'a socket comes with what is to be accepted from, and with nothing else',
      );
      if (message.type === 'accept') accepts[place]?.add(message.socket);
      if (message.type === 'cease') assert.ok(accepts[place]?.delete(message.socket), `${place} accepted from it`);
      if (message.type === 'refuse') refused.push(`${place}: ${message.problem}`);
    },
    systemClock,
    spread,
  );
  t.after(() => sockets.close());
  const told = () => Object.values(accepts).map((numbers) => [...numbers].sort());
  return { sockets, refused, told, forget: (place: string) => accepts[place]?.clear() };
}

test('every place has a socket of its own', async (t) => {
  const { sockets, told } = start(t);
  const port = await freePort();
  for (const place of ['w1', 'w2', 'w3']) sockets.listen(place, { ...WEB, port });
  assert.deepEqual(told(), [[1], [2], [3]]);
});

test('the others accept for a worker that is away, until the next one in its place does', async (t) => {
  const { sockets, told, forget } = start(t);
  const port = await freePort();
  for (const place of ['w1', 'w2', 'w3']) sockets.listen(place, { ...WEB, port });
  sockets.leave('w1');
  forget('w1');
  assert.deepEqual(told(), [[], [1, 2], [1, 3]]);
  sockets.leave('w2');
  forget('w2');
  assert.deepEqual(told(), [[], [], [1, 2, 3]]);
  sockets.listen('w1', { ...WEB, port });
  assert.deepEqual(told(), [[1, 2], [], [2, 3]]);
});

test('an address is kept while all workers are away, and given up when none has it in its config', async (t) => {
  const { sockets, told, forget } = start(t);
  const port = await freePort();
  sockets.listen('w1', { ...WEB, port });
  sockets.leave('w1');
  forget('w1');
  // The worker closes its listeners while it leaves; that is no change of the config.
  sockets.unlisten('w1', 'web');
  sockets.listen('w1', { ...WEB, port });
  sockets.listen('w2', { ...WEB, port });
  assert.deepEqual(told(), [[1], [2], []]);

  sockets.unlisten('w1', 'web');
  assert.deepEqual(told(), [[], [1, 2], []], 'the other still has it');
  sockets.unlisten('w2', 'web');
  sockets.listen('w3', { ...WEB, port });
  assert.deepEqual(told().at(-1), [3]);
});

test('those who accept at an address that is given up hear when they have the last copies', async (t) => {
  const { sockets, told } = start(t);
  const port = await freePort();
  for (const place of ['w1', 'w2']) sockets.listen(place, { ...WEB, port });
  sockets.close();
  assert.deepEqual(told(), [[], [], []]);
});

test('an address comes back while a worker still answers what waited there', async (t) => {
  const { sockets, told, refused } = start(t);
  const port = await freePort();
  sockets.listen('w1', { ...WEB, port });
  const copy = new BoundSocket({ host: WEB.host, port, reusePort: true });
  t.after(() => copy.close());
  sockets.unlisten('w1', 'web');
  sockets.listen('w1', { ...WEB, port });
  sockets.unlisten('w1', 'web');
  sockets.listen('w1', { ...WEB, address: 'by another name', port });
  assert.deepEqual([told()[0], refused], [[3], []]);
});

test('an address that the next worker has no more in its config is given up when that one has opened what it wants', async (t) => {
  const { sockets, told } = start(t);
  const [before, after] = [await freePort(), await freePort()];
  sockets.listen('w1', { ...WEB, port: before });
  sockets.leave('w1');
  sockets.listen('w1', { ...WEB, address: 'other', port: after });
  sockets.closeUnwanted();
  sockets.listen('w2', { ...WEB, port: before });
  sockets.listen('w2', { ...WEB, address: 'other', port: after });
  assert.deepEqual(told().slice(0, 2), [[2], [3, 4]], 'what was given up is not handed to anybody again');
});

test('a port that another program would share is refused', async (t) => {
  const other = createServer();
  await once(other.listen({ host: '127.0.0.1', port: 0, reusePort: true }), 'listening');
  t.after(() => other.close());
  const { sockets, refused } = start(t);
  const { port } = other.address() as AddressInfo;
  sockets.listen('w1', { ...WEB, port });
  assert.match(refused.join(), new RegExp(`^w1: bind EADDRINUSE .*127\\.0\\.0\\.1:${port}$`));
});

test('with port 0 all places have the same free port', (t) => {
  const { sockets, told, refused } = start(t);
  for (const place of ['w1', 'w2', 'w3']) sockets.listen(place, { ...WEB, port: 0 });
  assert.deepEqual([told(), refused], [[[1], [2], [3]], []]);
});

test('where the kernel does not spread, all places share one socket', async (t) => {
  const { sockets, told, forget } = start(t, false);
  const port = await freePort();
  for (const place of ['w1', 'w2']) sockets.listen(place, { ...WEB, port });
  assert.deepEqual(told(), [[1], [1], []]);
  sockets.leave('w1');
  forget('w1');
  sockets.listen('w3', { ...WEB, port });
  assert.deepEqual(told(), [[], [1], [1]]);
});
