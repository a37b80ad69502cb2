// A port that closes: whoever has connected by then is accepted, since the kernel resets those who still wait.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { closeWhenQuiet, createAcceptingServer } from '../../../balancer/listener/acceptor.ts';

const CONNECTIONS = 64;

async function listen() {
  let accepted = 0;
  const problems: string[] = [];
  const hooks = {
    onConnection: () => void (accepted += 1),
    onError: (error: Error) => void problems.push(error.message),
  };
  const server = createAcceptingServer({ ...hooks, onConnection: (socket) => void (hooks.onConnection(), socket.destroy()) });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const visit = (): void => {
    connect(port, '127.0.0.1').on('error', (error) => problems.push(error.message));
  };
  return { server, visit, problems, accepted: () => accepted };
}

test('all that wait when it begins to close are accepted', async () => {
  const { server, visit, problems, accepted } = await listen();
  for (let made = 0; made < CONNECTIONS; made += 1) visit();
  await closeWhenQuiet(server);
  assert.deepEqual([server.listening, accepted(), problems], [false, CONNECTIONS, []]);
});

test('it closes in time where turns are never quiet', async () => {
  const { server, visit, accepted } = await listen();
  let [nowMs, looks] = [0, 0];
  const busy = (): number => {
    visit();
    looks += 1;
    return (nowMs += 10);
  };
  await closeWhenQuiet(server, busy);
  assert.equal(server.listening, false);
  assert.ok(looks <= 202 && accepted() > 0, `${looks} looks, ${accepted()} accepted`);
});
