// A host is renewed in every way, again and again, under a steady load over TLS: config, certificates, workers one by one, the whole program. No request
// fails, and no WebSocket is cut before the deadline of those that leave.
// `npm run endure -- renewals --rate 2000` does it; in a second round more workers would drain than may at a time (decision 0040).
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseArgs } from 'node:util';
import { Agent, WebSocket } from 'undici';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { makeCertificate } from '../support/certificates.ts';
import { startHeldOrigin } from '../support/held-origin.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    rate: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '1' },
    sockets: { type: 'string', default: '50' },
  },
});
const [RATE, ROUNDS, SOCKETS] = [Number(values.rate), Number(values.rounds), Number(values.sockets)];
assert.ok(RATE > 0 && ROUNDS > 0 && SOCKETS >= 0, 'expected --rate N, --rounds N, --sockets N');

const SETTLE_MS = 120_000;
/** No further behind than this the load has the rate: whatever waited during a renewal has been answered too. */
const CAUGHT_UP_MS = 50;
/** Longer than all of it takes: whoever leaves waits for its tunnels. */
const DRAIN = '30m';
interface Client {
  readonly socket: WebSocket;
  last: string;
}

async function openSockets(t: TestContext, url: string): Promise<readonly Client[]> {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false }, allowH2: false });
  const clients = Array.from({ length: SOCKETS }, (): Client => {
    const client: Client = { socket: new WebSocket(url, { dispatcher }), last: '' };
    client.socket.addEventListener('message', ({ data }) => (client.last = String(data)));
    return client;
  });
  t.after(() => clients.forEach(({ socket }) => socket.close()));
  await until(() => clients.every(({ socket }) => socket.readyState === WebSocket.OPEN), 'the WebSockets are open', SETTLE_MS);
  return clients;
}

const cutOf = (clients: readonly Client[]): number => clients.filter(({ socket }) => socket.readyState !== WebSocket.OPEN).length;

async function weir(appliance: Appliance, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await appliance.weir(...args);
  assert.equal(code, 0, `weir ${args.join(' ')}: ${stderr}`);
}

interface Renewal {
  readonly name: string;
  readonly act: (appliance: Appliance, directory: string, round: number) => Promise<void>;
}

const RENEWALS: readonly Renewal[] = [
  {
    name: 'reload',
    act: async (appliance, _directory, round) => {
      const { generation } = await appliance.status();
      appliance.rewrite((yaml) => yaml.replace(/connectTimeout: \d+ms/, `connectTimeout: ${4000 + round}ms`));
      appliance.signal('SIGHUP');
      await until(async () => (await appliance.status()).generation > generation, 'the new config is in service', SETTLE_MS);
    },
  },
  {
    name: 'certificate',
    act: async (appliance, directory, round) => {
      makeCertificate(directory, { names: ['127.0.0.1'], file: 'shop' });
      const later = new Date(Date.now() + round * 1000);
      utimesSync(join(directory, 'shop.crt'), later, later);
      appliance.signal('SIGHUP');
      await appliance.status();
    },
  },
  { name: 'workers', act: (appliance) => weir(appliance, 'restart', 'workers') },
  { name: 'upgrade', act: (appliance) => weir(appliance, 'upgrade') },
];

const yamlOf = (directory: string, clusters: string, echo: string): string => `
drainDeadline: ${DRAIN}
listeners:
  web: { bind: "127.0.0.1:0", tls: { certificates: [{ cert: "${directory}/shop.crt", key: "${directory}/shop.key" }] } }
${clusters.replace('services:', `  echo: { endpoints: ["${echo}"], health: none, connectTimeout: 4000ms }\nservices:\n  echo: { versions: { one: { clusters: { echo: {} } } } }`)}  - { name: echo, match: { path: /echo }, service: echo }
`;

test(`${RATE} requests a second, renewed in every way ${ROUNDS} times`, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-renewals-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  makeCertificate(directory, { names: ['127.0.0.1'], file: 'shop' });
  const [{ yaml }, echo] = [await startTwoClusters(t), await startHeldOrigin(t, 'echo')];
  const appliance = await startAppliance(t, { yaml: yamlOf(directory, yaml, echo.endpoint), untilProbed: true });
  const url = appliance.url().replace('http:', 'https:');
  const clients = await openSockets(t, `${url.replace('https:', 'wss:')}/echo`);
  const load = new SteadyLoad(Number(new URL(url).port), RATE);
  /** With what comes in the second after as well: a renewal has its effects a little later. */
  const caughtUp = (before: number): Promise<void> =>
    until(
      () => load.due - load.answered <= (RATE * CAUGHT_UP_MS) / 1000 && load.answered - before >= RATE,
      'all that was due is answered',
      SETTLE_MS,
    );
  await caughtUp(0);
  const [steady, steadyMs] = [load.answered, performance.now()];
  for (let round = 1; round <= ROUNDS; round += 1)
    for (const { name, act } of RENEWALS) {
      const [before, startedMs] = [load.answered, performance.now()];
      await act(appliance, directory, round);
      const doneMs = performance.now() - startedMs;
      await caughtUp(load.answered);
      const [seconds, answered] = [(performance.now() - startedMs) / 1000, load.answered - before];
      process.stdout.write(
        `round ${round}, ${name}: ${(doneMs / 1000).toFixed(1)} s, all due answered after ${seconds.toFixed(1)} s (${(answered / seconds).toFixed(0)}/s), ${load.failures.length} failed so far, ${cutOf(clients)} WebSockets cut\n`,
      );
    }
  const perSecond = (load.answered - steady) / ((performance.now() - steadyMs) / 1000);
  for (const { socket } of clients) socket.send('still here');
  await until(() => clients.every(({ last }) => last === 'still here'), 'every WebSocket sends back', SETTLE_MS);
  await load.stop();
  t.diagnostic(
    `${load.sent} requests sent, ${load.answered} answered (${perSecond.toFixed(0)}/s), ${load.failures.length} failed; ${cutOf(clients)} of ${SOCKETS} WebSockets cut`,
  );
  assert.ok(perSecond >= RATE * 0.98, `${perSecond.toFixed(0)} a second, wanted ${RATE}`);
  assert.deepEqual([load.failures.slice(0, 5), cutOf(clients)], [[], 0]);
});
