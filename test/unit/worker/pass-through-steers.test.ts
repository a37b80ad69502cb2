// Connections that are passed through are steered as requests are: by server name, split, health and what the worker sees itself.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { proxyHeader, readProxyHeader, type ProxyEnds } from '../../../balancer/message/proxy-protocol.ts';
import { makeCertificate, type TestCertificate } from '../../support/certificates.ts';
import { alpnOf, hello, serverNameOf } from '../../support/client-hello.ts';
import { reported, startProxy, type Proxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { echo, saying, startTcpServer } from '../../support/tcp-server.ts';
import { startUnreachable } from '../../support/unreachable.ts';
import { until } from '../../support/until.ts';

const TCP = { listener: { protocol: 'tcp' }, routes: [{ listeners: ['web'], service: 'shop' }] };
const PASSING = { protocol: 'tls-passthrough' };

/** Who answers a new connection; empty: it is broken off. */
function whoAnswers({ port }: Proxy): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      socket.end();
    });
    socket.on('error', () => undefined).on('close', () => resolve(said));
  });
}

async function tally(proxy: Proxy, count: number): Promise<Readonly<Record<string, number>>> {
  const answers: string[] = [];
  const one = async (): Promise<void> => {
    while (answers.length < count) {
      const at = answers.push('') - 1;
      answers[at] = await whoAnswers(proxy);
    }
  };
  await Promise.all(Array.from({ length: 16 }, one));
  return Object.fromEntries([...Map.groupBy(answers, (who) => who)].map(([who, those]) => [who, those.length]));
}

const outcome = (proxy: Proxy, name: string): number => reported(proxy, 'weir_l4_connections_total', new RegExp(`/${name}$`));

describe('connections of a tcp listener', { concurrency: true }, () => {
  it('are divided by the split: 10 % of 1,000 is 100, give or take one', async (t) => {
    const [blue, green] = [await startTcpServer(t, saying('blue')), await startTcpServer(t, saying('green'))];
    const proxy = await startProxy(t, {
      ...TCP,
      endpoints: [blue.endpoint],
      clusters: { two: { endpoints: [green.endpoint], health: 'none' } },
      service: { versions: { blue: { clusters: { one: {} } }, green: { clusters: { two: {} } } }, split: { blue: 90, green: 10 } },
    });
    const counts = await tally(proxy, 1000);
    assert.equal((counts['blue'] ?? 0) + (counts['green'] ?? 0), 1000);
    // The split is a schedule: after any number of choices each target is less than one away from its share.
    assert.ok(Math.abs((counts['green'] ?? 0) - 100) <= 1, JSON.stringify(counts));
    await until(
      () => reported(proxy, 'weir_l4_connections_total', /^web\/shop\/shop\/green\/two\/established$/) === counts['green'],
      'green is counted',
    );
  });

  it('go to another endpoint when one is dead, which is ejected, and to another cluster when all are', async (t) => {
    const servers = [await startTcpServer(t, saying('a')), await startTcpServer(t, saying('b')), await startTcpServer(t, saying('c'))];
    const [a, b, c] = servers;
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    const outlier = { consecutive: 2, baseEjection: '60s' };
    const proxy = await startProxy(t, {
      ...TCP,
      endpoints: [a.endpoint, b.endpoint],
      cluster: { outlier, balance: 'round-robin' },
      clusters: { two: { endpoints: [c.endpoint], health: 'none', outlier } },
      service: { versions: { blue: { clusters: { one: { priority: 0 }, two: { priority: 1 } } } }, steer: { policy: 'priority' } },
    });
    assert.deepEqual(Object.keys(await tally(proxy, 40)).sort(), ['a', 'b']);
    await a.kill();
    assert.deepEqual(await tally(proxy, 40), { b: 40 });
    await until(() => reported(proxy, 'weir_ejections_total', /^one\/path$/) === 1, 'a is ejected');
    await b.kill();
    assert.deepEqual(await tally(proxy, 40), { c: 40 });
    await until(() => outcome(proxy, 'established') === 120, 'all 120 are counted as established');
    const retries = reported(proxy, 'weir_retries_total', /^shop\/retried$/);
    assert.equal(retries, reported(proxy, 'weir_upstream_failures_total', /connect_failed$/), 'each failure was one attempt more');
  });

  it('are broken off when nothing answers, and counted by why', async (t) => {
    const server = await startTcpServer(t, saying('a'));
    const proxy = await startProxy(t, { ...TCP, endpoints: [server.endpoint], service: { retries: { attempts: 0 } } });
    await server.kill();
    assert.equal(await whoAnswers(proxy), '');
    await until(() => outcome(proxy, 'connect_failed') === 1, 'it is counted');
  });

  it('go elsewhere when connecting takes too long', async (t) => {
    const server = await startTcpServer(t, saying('there'));
    const proxy = await startProxy(t, {
      ...TCP,
      endpoints: [`tcp://127.0.0.1:${await startUnreachable(t)}`, server.endpoint],
      cluster: { connectTimeout: '200ms', balance: 'round-robin' },
    });
    assert.deepEqual(await tally(proxy, 4), { there: 4 });
    await until(() => reported(proxy, 'weir_upstream_failures_total', /connect_timeout$/) > 0, 'the time-out is counted');
  });

  it('cost the endpoint nothing when the client leaves while connecting', async (t) => {
    const proxy = await startProxy(t, {
      ...TCP,
      endpoints: [`tcp://127.0.0.1:${await startUnreachable(t)}`],
      cluster: { connectTimeout: '60s', outlier: { consecutive: 1 } },
    });
    const client = connect({ port: proxy.port, host: '127.0.0.1' });
    await once(client, 'connect');
    await until(() => reported(proxy, 'weir_upstream_connections_total') === 1, 'it is being connected');
    client.resetAndDestroy();
    await until(() => outcome(proxy, 'client_closed') === 1, 'the client is named');
    assert.equal(reported(proxy, 'weir_upstream_failures_total'), 0);
    assert.equal(reported(proxy, 'weir_ejections_total'), 0);
    await until(() => proxy.gauge('weir_upstream_connections_open') === 0, 'the connection is given up');
  });

  it('begin with the addresses of the client where the cluster asks for the PROXY protocol, before anything the client says', async (t) => {
    for (const version of ['v1', 'v2'] as const) {
      const server = await startTcpServer(t, echo);
      const proxy = await startProxy(t, { ...TCP, endpoints: [server.endpoint], cluster: { proxyProtocol: version } });
      const client = await connectRaw(t, proxy.port);
      client.send('and then this');
      const received = Buffer.from(await client.untilText('and then this'), 'latin1');
      const header = readProxyHeader(received);
      assert.ok(header.kind === 'header', version);
      assert.equal(received.toString('latin1', 0, 5) === 'PROXY', version === 'v1');
      assert.deepEqual(header.ends, {
        source: { address: '127.0.0.1', port: client.socket.localPort },
        destination: { address: '127.0.0.1', port: proxy.port },
      });
      assert.equal(received.toString('latin1', header.length), 'and then this');
    }
  });

  it('pass the ends on that a proxy before told, addresses and ports, and those of the socket where it speaks for itself', async (t) => {
    const told = { source: { address: '203.0.113.7', port: 4711 }, destination: { address: '192.0.2.1', port: 443 } };
    for (const [received, sent] of [['v1', 'v2'] as const, ['v2', 'v1'] as const]) {
      const server = await startTcpServer(t, echo);
      const listener = { ...TCP.listener, proxyProtocol: { from: ['127.0.0.1'] } };
      const proxy = await startProxy(t, { ...TCP, listener, endpoints: [server.endpoint], cluster: { proxyProtocol: sent } });
      const endsBehind = async (
        ends: ProxyEnds | null,
      ): Promise<{ readonly seen: ProxyEnds | null; readonly port: number | undefined }> => {
        const client = await connectRaw(t, proxy.port);
        client.socket.write(Buffer.concat([proxyHeader(received, ends), Buffer.from('and then this')]));
        const header = readProxyHeader(Buffer.from(await client.untilText('and then this'), 'latin1'));
        assert.ok(header.kind === 'header');
        return { seen: header.ends, port: client.socket.localPort };
      };
      assert.deepEqual((await endsBehind(told)).seen, told);
      const { seen, port } = await endsBehind(null);
      assert.deepEqual(seen, { source: { address: '127.0.0.1', port }, destination: { address: '127.0.0.1', port: proxy.port } });
    }
  });

  it('are as many for an endpoint as maxConnections allows', async (t) => {
    const server = await startTcpServer(t, echo);
    const proxy = await startProxy(t, { ...TCP, endpoints: [server.endpoint], cluster: { maxConnections: 2 } });
    const clients = [await connectRaw(t, proxy.port), await connectRaw(t, proxy.port)];
    for (const client of clients) client.send('x');
    for (const client of clients) await client.untilText('x');
    assert.equal(await whoAnswers(proxy), '');
    await until(() => outcome(proxy, 'overloaded') === 1, 'the third is counted');
    clients[0]?.socket.end();
    await clients[0]?.untilClosed();
    await until(() => proxy.gauge('weir_upstream_connections_open') === 1, 'one is free again');
    const third = await connectRaw(t, proxy.port);
    third.send('y');
    await third.untilText('y');
  });
});

describe('connections of a tls-passthrough listener', { concurrency: true }, () => {
  it('are routed by server name: exact before longer before shorter wildcards before any, each to its own certificate', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-sni-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const origins = await Promise.all(
      ['exact', 'deep', 'wild', 'any'].map((name) => startTlsServer(t, makeCertificate(directory, { names: [`${name}.origin`] }))),
    );
    const named = (...hosts: readonly string[]): object => ({ listeners: ['web'], match: { hosts } });
    const proxy = await startProxy(t, {
      listener: PASSING,
      endpoints: [origins[0] ?? ''],
      clusters: Object.fromEntries(
        ['deep', 'wild', 'any'].map((name, index) => [name, { endpoints: [origins[index + 1]], health: 'none' }]),
      ),
      services: Object.fromEntries(['deep', 'wild', 'any'].map((name) => [name, { versions: { v: { clusters: { [name]: {} } } } }])),
      routes: [
        { listeners: ['web'], service: 'any' },
        { ...named('*.example.com'), service: 'wild' },
        { ...named('*.a.example.com'), service: 'deep' },
        { ...named('b.a.example.com', 'example.com'), service: 'shop' },
      ],
    });
    const table: readonly (readonly [serverName: string, who: string])[] = [
      ['b.a.example.com', 'exact'],
      ['B.A.Example.COM', 'exact'],
      ['example.com', 'exact'],
      ['c.a.example.com', 'deep'],
      ['d.c.a.example.com', 'deep'],
      ['a.example.com', 'wild'],
      ['other.example', 'any'],
      ['', 'any'],
    ];
    for (const [serverName, who] of table)
      assert.deepEqual(await certificateSeen(t, proxy, serverName), [`${who}.origin`, `${who}.origin`], serverName);
  });

  it('are refused with an alert when no route is for their name, and counted', async (t) => {
    const server = await startTcpServer(t, echo);
    const proxy = await startProxy(t, {
      listener: PASSING,
      endpoints: [server.endpoint],
      routes: [{ listeners: ['web'], match: { hosts: ['a.example'] }, service: 'shop' }],
    });
    await assert.rejects(certificateSeen(t, proxy, 'b.example'), /unrecognized.name/i);
    await assert.rejects(certificateSeen(t, proxy, ''), /unrecognized.name/i);
    await until(() => outcome(proxy, 'route_not_found') === 2, 'both are counted');
    assert.equal(server.connections.length, 0);
  });

  it('get an alert too when there is no place to go', async (t) => {
    const server = await startTcpServer(t, echo);
    const proxy = await startProxy(t, { listener: PASSING, endpoints: [server.endpoint], routes: TCP.routes });
    await server.kill();
    await assert.rejects(certificateSeen(t, proxy, 'a.example'), /internal.error/i);
  });

  it('reach the endpoint with the bytes they began with, however these came', async (t) => {
    const server = await startTcpServer(t, echo);
    const proxy = await startProxy(t, { listener: PASSING, endpoints: [server.endpoint], routes: TCP.routes });
    const bytes = Buffer.concat([hello(serverNameOf('a.example'), alpnOf('h2')), Buffer.from('and early data')]);
    const client = await connectRaw(t, proxy.port);
    for (const byte of bytes) {
      client.socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    assert.equal(await client.until((received) => received.length === bytes.length, 'all of it'), bytes.toString('latin1'));
  });

  it('are closed and counted when they begin with something else, or do not go on in time', async (t) => {
    const server = await startTcpServer(t, echo);
    const proxy = await startProxy(t, {
      listener: { ...PASSING, timeouts: { handshake: '300ms' } },
      endpoints: [server.endpoint],
      routes: TCP.routes,
    });
    const plain = await connectRaw(t, proxy.port);
    plain.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    assert.equal(await plain.untilClosed(), '');
    const broken = await connectRaw(t, proxy.port);
    broken.send('\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff');
    assert.equal(await broken.untilClosed(), '\x15\x03\x03\x00\x02\x02\x32', 'a fatal decode_error');
    const silent = await connectRaw(t, proxy.port);
    const slow = await connectRaw(t, proxy.port);
    slow.socket.write(hello(serverNameOf('a.example')).subarray(0, 20));
    assert.equal(await silent.untilClosed(), '');
    assert.equal(await slow.untilClosed(), '');
    const leaving = await connectRaw(t, proxy.port);
    leaving.socket.end();
    assert.equal(await leaving.untilClosed(), '');
    await until(() => outcome(proxy, 'client_hello_malformed') === 2, 'two are malformed');
    await until(() => outcome(proxy, 'client_hello_timeout') === 2, 'two are late');
    await until(() => outcome(proxy, 'client_closed') === 1, 'one has left');
    assert.equal(server.connections.length, 0);
  });
});

describe('a worker that drains', { concurrency: true }, () => {
  it('lets connections that are passed through go on to their end', async (t) => {
    const server = await startTcpServer(t, echo);
    const proxy = await startProxy(t, { ...TCP, endpoints: [server.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send('before ');
    await client.untilText('before ');
    proxy.drain(30_000);
    client.send('after');
    await client.untilText('before after');
    client.socket.end();
    await client.untilClosed();
    await proxy.drained;
  });

  it('cuts them at the deadline, with a reset', async (t) => {
    const server = await startTcpServer(t, echo);
    const proxy = await startProxy(t, { ...TCP, endpoints: [server.endpoint] });
    const client = await connectRaw(t, proxy.port);
    const broken = once(client.socket, 'error') as Promise<[NodeJS.ErrnoException]>;
    client.send('x');
    await client.untilText('x');
    proxy.drain(200);
    assert.equal((await broken)[0].code, 'ECONNRESET');
    await proxy.drained;
    assert.equal(server.resets, 1);
  });

  it('waits no longer than a moment for a client that has not said hello', async (t) => {
    const server = await startTcpServer(t, echo);
    const proxy = await startProxy(t, { listener: PASSING, endpoints: [server.endpoint], routes: TCP.routes });
    const client = await connectRaw(t, proxy.port);
    await until(() => reported(proxy, 'weir_connections_total') === 1, 'it is let in');
    proxy.drain(30_000);
    await client.untilClosed();
    await proxy.drained;
  });
});

/** A TLS server that says its name; the endpoint of it. */
async function startTlsServer(t: TestContext, { cert, key }: TestCertificate): Promise<string> {
  const pem = readFileSync(cert);
  const server = createTlsServer({ cert: pem, key: readFileSync(key) }, (socket) => {
    socket.on('error', () => undefined);
    const { subject } = socket.getCertificate() as { readonly subject: { readonly CN: string } };
    socket.end(subject.CN);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `https://127.0.0.1:${(server.address() as { readonly port: number }).port}`;
}

/** The name in the certificate that a client sees, and what is said to it over TLS. */
async function certificateSeen(t: TestContext, { port }: Proxy, serverName: string): Promise<readonly [name: string, said: string]> {
  const name = serverName === '' ? {} : { servername: serverName };
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...name });
  t.after(() => (socket satisfies Socket).destroy());
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  let said = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  await once(socket, 'end');
  return [String(subject.CN), said];
}
