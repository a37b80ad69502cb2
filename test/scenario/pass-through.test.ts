// TCP and TLS passed through by a whole appliance: the origin's own certificate, drain and loss of clusters, reloads, and the end.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpsServer, request } from 'node:https';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { logged } from '../support/access-log.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { makeCertificate } from '../support/certificates.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startTcpServer } from '../support/tcp-server.ts';
import { until } from '../support/until.ts';

test('an appliance that passes connections through', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-pass-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [east, west] = [await startTcpServer(t, greeting('east')), await startTcpServer(t, greeting('west'))];
  const shop = makeCertificate(directory, { names: ['shop.example.com'] });
  const https = await startHttps(t, { cert: readFileSync(shop.cert), key: readFileSync(shop.key) });
  const logFile = join(directory, 'access.log');
  const appliance = await startAppliance(t, { yaml: config([east.endpoint, west.endpoint], https, logFile), untilProbed: true });

  await t.test('clients of Node and openssl reach the origin over TLS and see its own certificate', async () => {
    const port = appliance.port('secure');
    assert.equal(await httpsGet(port, 'shop.example.com', shop.pem), 'hello shop.example.com');
    const client = (name: string): Promise<string> =>
      openssl('s_client', '-connect', `127.0.0.1:${port}`, '-servername', name, '-CAfile', shop.cert);
    const seen = await client('shop.example.com');
    assert.match(seen, /subject=CN ?= ?shop\.example\.com/);
    assert.match(seen, /Verify return code: 0/);
    await assert.rejects(client('other.example.com'), /unrecognized name/);
    const refused =
      /^weir_l4_connections_total\{listener="secure",route="",service="",version="",cluster="",outcome="route_not_found"\} 1$/m;
    await until(async () => refused.test(await appliance.metrics()), 'the unknown name is counted');
    const isLogged = (): boolean =>
      /"listener":"secure".*"host":"shop\.example\.com".*"service":"shop".*"alpn":\["http\/1\.1"\]/.test(logged(logFile));
    await until(isLogged, 'the access log has the name, and what the client offered');
  });

  await t.test('a drained cluster keeps what it has and gets no more, on any worker', async (t) => {
    const before = await Promise.all(Array.from({ length: 12 }, () => open(t, appliance)));
    assert.deepEqual(new Set(before.map(({ who }) => who)), new Set(['east', 'west']));
    await change(appliance, 'drain', 'east');
    for (let count = 0; count < 20; count += 1) assert.equal((await open(t, appliance)).who, 'west');
    for (const { client, who } of before) {
      client.send('still there?\n');
      await client.untilText(`${who} hears still there?`);
    }
    await change(appliance, 'restore', 'east');
  });

  await t.test('the observed share is that of connections', async (t) => {
    for (let count = 0; count < 20; count += 1) await open(t, appliance);
    const observed = async (): Promise<number> =>
      (await appliance.status()).services
        .find(({ name }) => name === 'data')
        ?.targets.reduce((sum, { observedShare }) => sum + observedShare, 0) ?? 0;
    await until(async () => (await observed()) > 0.99, 'connections are seen');
  });

  await t.test('when a cluster dies every new connection goes to the other one', async (t) => {
    await east.kill();
    for (let count = 0; count < 20; count += 1) assert.equal((await open(t, appliance)).who, 'west');
    const down = async (): Promise<boolean> => (await appliance.status()).clusters.find(({ name }) => name === 'east')?.health === 'down';
    await until(down, 'it is seen to be down', 10_000);
    await east.revive();
  });

  await t.test('a reload leaves open connections alone, also when the listener becomes one for HTTP', async (t) => {
    const { client, who } = await open(t, appliance);
    const { generation } = await appliance.status();
    appliance.rewrite((yaml) =>
      yaml
        .replace('protocol: tcp }', 'protocol: http }')
        .replace('{ listeners: [raw], service: data }', '{ listeners: [raw], service: shop, name: web }'),
    );
    appliance.signal('SIGHUP');
    await until(
      async () => (await appliance.status()).generation > generation && (await appliance.status()).workersReady === 2,
      'the new config is in service',
    );
    client.send('and now?\n');
    await client.untilText(`${who} hears and now?`);
    const http = await connectRaw(t, appliance.port('raw'));
    http.send('GET / HTTP/1.1\r\n\r\n');
    assert.match(await http.untilClosed(), /^HTTP\/1\.1 400 /);
  });

  await t.test('SIGTERM lets connections come to their end, and ends with exit code 0', async (t) => {
    const port = appliance.port('secure');
    const client = await handshake(t, port, 'shop.example.com', shop.pem);
    appliance.signal('SIGTERM');
    await until(async () => !(await accepts(port)), 'nothing new is accepted', 10_000);
    assert.ok(appliance.isRunning());
    client.write('GET /last HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n');
    const [answer] = (await once(client, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
    client.end();
    assert.deepEqual(await appliance.ended, { code: 0, signal: null });
  });
});

interface Opened {
  readonly client: RawClient;
  /** The cluster that answered. */
  readonly who: string;
}

/** Says its name at once, and then what it hears. */
function greeting(name: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(`${name}\n`);
    socket.on('data', (chunk: Buffer) => socket.write(`${name} hears ${chunk.toString()}`));
    socket.on('end', () => socket.end());
  };
}

async function open(t: TestContext, appliance: Appliance): Promise<Opened> {
  const client = await connectRaw(t, appliance.port('raw'));
  const who = (await client.untilText('\n')).trim();
  return { client, who };
}

async function change(appliance: Appliance, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await appliance.weir(...args, '--yes');
  assert.equal(code, 0, stderr);
}

/** What the command says on stdout; rejects with stderr when it fails. */
function openssl(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('openssl', args, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(stderr, { cause: error })),
    );
    child.stdin?.end();
  });
}

/** Answers `hello HOST`; the endpoint of it. */
async function startHttps(t: TestContext, tls: { readonly cert: Buffer; readonly key: Buffer }): Promise<string> {
  const server = createHttpsServer(tls, (incoming, response) => response.end(`hello ${String(incoming.headers.host)}`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The body; the certificate is verified against `ca`. */
function httpsGet(port: number, host: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername: host, headers: { host }, ca, ALPNProtocols: ['http/1.1'], agent: false };
    const outgoing = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.once('end', () => resolve(body));
    });
    outgoing.once('error', reject).end();
  });
}

async function handshake(t: TestContext, port: number, servername: string, ca: string): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, servername, ca });
  t.after(() => (socket satisfies Socket).destroy());
  await once(socket, 'secureConnect');
  return socket;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (connected: boolean): void => {
      socket.destroy();
      resolve(connected);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}

function config([east, west]: readonly string[], https: string, logFile: string): string {
  return `drainDeadline: 15s
accessLog: ${logFile}
listeners:
  raw: { bind: "127.0.0.1:0", protocol: tcp }
  secure: { bind: "127.0.0.1:0", protocol: tls-passthrough }
clusters:
  east: { endpoints: ["${east}"], health: { interval: 200ms } }
  west: { endpoints: ["${west}"], health: { interval: 200ms } }
  site: { endpoints: ["${https}"], health: none }
services:
  data: { versions: { only: { clusters: { east: {}, west: {} } } } }
  shop: { versions: { only: { clusters: { site: {} } } } }
routes:
  - { listeners: [raw], service: data }
  - { listeners: [secure], match: { hosts: [shop.example.com] }, service: shop }
`;
}
