// Requests with methods that a service never heard of, which it closes the connection for: whoever sends them takes no endpoint out of service.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startOrigin } from '../../support/origin.ts';
import { countOf, startProxy, type Proxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

/** Twice as many in a row as eject an endpoint or open the circuit. */
const ASKED = 10;

/** As `node:http` does it with a method that it does not know, the origin closes the connection for `/close` without a word. */
async function closing(t: TestContext): Promise<Proxy> {
  const origin = await startOrigin(t, (request, response) => {
    if (request.url === '/close') request.socket.destroy();
    else response.end('served');
  });
  return startProxy(t, { endpoints: [origin.endpoint], service: { circuit: { minRequests: 5 }, retries: { attempts: 0 } } });
}

async function ask(t: TestContext, { port }: Proxy, request: string): Promise<string> {
  const client = await connectRaw(t, port);
  client.send(`${request} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  return client.untilClosed();
}

const takenOut = ({ said }: Proxy): readonly string[] =>
  said.flatMap((message) => (message.type === 'ejection' ? [message.ejection.reason] : []));

test('an endpoint that closes connections for them stays', async (t) => {
  const proxy = await closing(t);
  for (let one = 0; one < ASKED; one += 1) assert.match(await ask(t, proxy, 'FOO /'), /^HTTP\/1\.1 502 /);
  await until(() => countOf(proxy, 'weir_upstream_failures_total') === ASKED, 'they are counted');
  assert.deepEqual(takenOut(proxy), []);
  assert.match(await ask(t, proxy, 'GET /'), /^HTTP\/1\.1 200 [\s\S]*served$/);
});

test('one that closes them for what every service answers goes', async (t) => {
  const proxy = await closing(t);
  for (let one = 0; one < ASKED; one += 1) assert.match(await ask(t, proxy, 'GET /close'), /^HTTP\/1\.1 50[23] /);
  await until(() => takenOut(proxy).length > 0, 'it is taken out');
});
