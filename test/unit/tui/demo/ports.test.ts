// Ports of the demo: who has one, as told to somebody who wants it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { holderOf, listeningInodes, reservePort } from '../../../../tui/demo/ports.ts';

async function takePort(context: TestContext, host: string): Promise<number> {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  context.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

test('a free port is given, and 0 stands for any', async () => {
  const any = await reservePort({ option: '--port', port: 0 });
  assert.ok('port' in any && any.port > 0);
  assert.deepEqual(await reservePort({ option: '--port', port: any.port }), any);
});

for (const host of ['127.0.0.1', '0.0.0.0']) {
  test(`a port that is taken on ${host} is refused in a line that names the process and the way out`, async (context) => {
    const port = await takePort(context, host);
    const result = await reservePort({ option: '--admin-port', port });
    assert.ok('problem' in result);
    const { problem } = result;
    assert.ok(problem.startsWith(`port ${port} on 127.0.0.1 is in use: process ${process.pid} (`), problem);
    assert.ok(problem.endsWith('listens there; free it or use --admin-port PORT (0: any that is free)'), problem);
  });
}

test('a port that nobody listens on has no holder', async () => {
  const any = await reservePort({ option: '--port', port: 0 });
  assert.ok('port' in any);
  assert.equal(await holderOf(any.port), null);
});

test('only a listening socket on the very port counts, not a connection to it', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0',
    '   1: 0100007F:1F90 0100007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 4 30 10 -1',
    '   2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0',
    '',
  ].join('\n');
  assert.deepEqual(listeningInodes(table, 8080), ['111']);
});
