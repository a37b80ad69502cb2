// The prober against real origins, and on virtual time where only evidence and config move.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import type { Config } from '../../../../balancer/config/config.ts';
import { Prober, type ProberDependencies } from '../../../../balancer/controller/probe/prober.ts';
import type { HealthView } from '../../../../balancer/steer/plan-shape.ts';
import { systemClock } from '../../../../health/clock.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { cluster, configOf, endpoint, QUICK_PROBE, service, version } from '../../../support/probe-config.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { until } from '../../../support/until.ts';

const started: { readonly close: () => void }[] = [];
after(() => {
  for (const one of started) one.close();
});

/** An origin whose answers per host field the test decides. */
class Origin {
  readonly server: Server;
  readonly statuses = new Map<string, number>();
  asked = 0;
  port = 0;

  constructor() {
    this.server = createServer((request, response) => {
      this.asked += 1;
      response.writeHead(this.statuses.get(request.headers.host ?? '') ?? 200).end();
    });
    started.push(this);
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => {
      this.server.listen(port, '127.0.0.1', resolve);
    });
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

const prober = (wish: Partial<ProberDependencies> = {}) => {
  const events: string[] = [];
  const counts: Record<string, number> = {};
  const subject = new Prober({
    clock: systemClock,
    random: seededRandom(5),
    readFile: () => assert.fail('no file is named'),
    count: (name, outcome) => (counts[`${name} ${outcome}`] = (counts[`${name} ${outcome}`] ?? 0) + 1),
    onChange: ({ text }) => events.push(text),
    ...wish,
  });
  started.push(subject);
  return { subject, events, counts };
};

const stateOf = (subject: Prober, name: string): string => subject.view().clusters[name]?.state ?? 'absent';

describe('against real origins', () => {
  test('a cluster goes from unknown to up, down with its origin, and up again with it', async () => {
    const origin = await new Origin().listen();
    const { subject, events, counts } = prober();
    subject.start(configOf([cluster('eu', { endpoints: [endpoint(origin.port)], health: QUICK_PROBE })]), null);
    assert.equal(stateOf(subject, 'eu'), 'unknown');
    await until(() => stateOf(subject, 'eu') === 'up', 'eu is up');
    origin.close();
    await until(() => stateOf(subject, 'eu') === 'down', 'eu is down');
    assert.deepEqual(subject.endpoints('eu'), [{ id: `127.0.0.1:${origin.port}`, health: 'down', reason: 'connection refused' }]);
    await new Origin().listen(origin.port);
    await until(() => stateOf(subject, 'eu') === 'up', 'eu is up again');
    assert.deepEqual(events, ['cluster eu is up', 'cluster eu is down: connection refused', 'cluster eu is up']);
    assert.ok((counts['eu success'] ?? 0) >= 3 && (counts['eu failure'] ?? 0) >= 2, JSON.stringify(counts));
    subject.close();
  });

  test('one endpoint of two that fails degrades its cluster and no other', async () => {
    const [good, bad, other] = [await new Origin().listen(), await new Origin().listen(), await new Origin().listen()];
    bad.statuses.set(`127.0.0.1:${bad.port}`, 503);
    const { subject } = prober();
    const eu = cluster('eu', { endpoints: [endpoint(good.port), endpoint(bad.port)], health: QUICK_PROBE });
    subject.start(configOf([eu, cluster('us', { endpoints: [endpoint(other.port)], health: QUICK_PROBE })]), null);
    await until(() => stateOf(subject, 'eu') === 'degraded' && subject.endpoints('eu')[1]?.health === 'down', 'eu is degraded');
    assert.equal(subject.endpoints('eu')[1]?.reason, 'status 503, expected 200-399');
    await until(() => stateOf(subject, 'us') === 'up', 'us is up');
    subject.close();
  });

  test('a version that fails its own probe is ejected alone, with the host field of its placement', async () => {
    const origin = await new Origin().listen();
    origin.statuses.set('green.test', 500);
    const green = version('green', [], {
      health: QUICK_PROBE,
      placements: [{ cluster: 'eu', weight: 1, priority: 0, host: 'green.test' }],
    });
    const { subject, events } = prober();
    const eu = cluster('eu', { endpoints: [endpoint(origin.port)], health: QUICK_PROBE });
    subject.start(configOf([eu], [service('shop', [version('blue', ['eu'], { health: QUICK_PROBE }), green])]), null);
    await until(() => subject.view().ejectedTargets.length > 0, 'green is ejected');
    assert.deepEqual(subject.view().ejectedTargets, ['shop/green/eu']);
    assert.equal(stateOf(subject, 'eu'), 'up');
    assert.ok(events.includes('shop/green/eu is ejected: status 500, expected 200-399'), events.join('\n'));
    origin.statuses.clear();
    await until(() => subject.view().ejectedTargets.length === 0, 'green is back');
    subject.close();
  });

  test('trouble on the way to a cluster says nothing about the versions in it', async () => {
    const origin = await new Origin().listen();
    const eu = cluster('eu', { endpoints: [endpoint(origin.port)], health: QUICK_PROBE });
    const { subject } = prober();
    subject.start(configOf([eu], [service('shop', [version('blue', ['eu'], { health: QUICK_PROBE })])]), null);
    await until(() => stateOf(subject, 'eu') === 'up', 'eu is up');
    origin.close();
    await until(() => stateOf(subject, 'eu') === 'down', 'eu is down');
    assert.deepEqual(subject.view().ejectedTargets, []);
    subject.close();
  });

  test('an authority that cannot be read takes the endpoint down and says which', async () => {
    const secure = { ...endpoint(1), scheme: 'https' as const };
    const { subject } = prober({
      readFile: (path) => {
        throw new Error(`ENOENT: no such file ${path}`);
      },
    });
    subject.start(
      configOf([
        cluster('eu', {
          endpoints: [secure],
          health: QUICK_PROBE,
          tls: { ca: '/gone.crt', serverName: null, minVersion: 'TLSv1.2', certificate: null, verify: true },
        }),
      ]),
      null,
    );
    await until(() => stateOf(subject, 'eu') === 'down', 'eu is down');
    assert.match(subject.endpoints('eu')[0]?.reason ?? '', /\/gone\.crt/);
    subject.close();
  });
});

describe('on virtual time', () => {
  const twoClusters = (): Config =>
    configOf(
      [cluster('eu', { endpoints: [endpoint(1), endpoint(2)] }), cluster('us', { endpoints: [endpoint(3)] })],
      [service('shop', [version('blue', ['eu', 'us']), version('green', ['us'])])],
    );
  const virtual = (config: Config, last: HealthView | null = null) => {
    const clock = new ManualClock();
    const made = prober({ clock });
    made.subject.start(config, last);
    return { ...made, clock };
  };
  const eject = (subject: Prober, port: number): void =>
    subject.report({ kind: 'endpoint', cluster: 'eu', endpoint: `127.0.0.1:${port}`, forMs: 5000, reason: 'connection reset' });

  test('without a probe a cluster is up until workers speak against it', () => {
    const { subject, clock, events } = virtual(twoClusters());
    assert.deepEqual([stateOf(subject, 'eu'), stateOf(subject, 'us')], ['up', 'up']);
    eject(subject, 1);
    assert.equal(stateOf(subject, 'eu'), 'degraded');
    eject(subject, 2);
    assert.equal(stateOf(subject, 'eu'), 'down');
    clock.advance(5000);
    assert.equal(stateOf(subject, 'eu'), 'up');
    assert.equal(events[0], 'endpoint 127.0.0.1:1 of eu is down: connection reset');
  });

  test('an ejected target is out for its time and marks neither the cluster nor another version', () => {
    const { subject, clock, events } = virtual(twoClusters());
    subject.report({ kind: 'target', service: 'shop', version: 'green', cluster: 'us', forMs: 5000, reason: 'five times 503' });
    assert.deepEqual(subject.view().ejectedTargets, ['shop/green/us']);
    assert.equal(stateOf(subject, 'us'), 'up');
    clock.advance(4999);
    assert.deepEqual(subject.view().ejectedTargets, ['shop/green/us']);
    clock.advance(1);
    assert.deepEqual(subject.view().ejectedTargets, []);
    assert.deepEqual(events, ['shop/green/us is ejected: five times 503', 'shop/green/us is back']);
  });

  test('reports on what is not in the config are let go, and no ejection lasts longer than the cluster allows', () => {
    const { subject, clock } = virtual(twoClusters());
    const before = subject.view();
    subject.report({ kind: 'endpoint', cluster: 'eu', endpoint: 'gone:1', forMs: 5000, reason: 'x' });
    subject.report({ kind: 'endpoint', cluster: 'gone', endpoint: '127.0.0.1:1', forMs: 5000, reason: 'x' });
    subject.report({ kind: 'target', service: 'gone', version: 'x', cluster: 'eu', forMs: 5000, reason: 'x' });
    assert.equal(subject.view(), before);
    subject.report({ kind: 'endpoint', cluster: 'eu', endpoint: '127.0.0.1:1', forMs: 1e12, reason: 'x' });
    clock.advance(300_000);
    assert.equal(stateOf(subject, 'eu'), 'up');
  });

  test('a new config keeps the state of what stays and forgets what left, without an event', () => {
    const { subject, clock, events } = virtual(twoClusters());
    eject(subject, 1);
    events.length = 0;
    subject.replace(configOf([cluster('eu', { endpoints: [endpoint(1), endpoint(9)] })]));
    assert.deepEqual(
      subject.endpoints('eu').map(({ id, health }) => [id, health]),
      [
        ['127.0.0.1:1', 'down'],
        ['127.0.0.1:9', 'up'],
      ],
    );
    assert.deepEqual([Object.keys(subject.view().clusters), events], [['eu'], []]);
    subject.close();
    assert.equal(clock.pending, 0);
  });

  test('a restart begins with what was stored: probed clusters as they were, ejections for their base time', () => {
    const stored: HealthView = {
      clusters: {
        eu: {
          state: 'degraded',
          endpoints: [
            { endpoint: '127.0.0.1:1', state: 'down' },
            { endpoint: '127.0.0.1:2', state: 'up' },
          ],
        },
        us: { state: 'down', endpoints: [{ endpoint: '127.0.0.1:3', state: 'down' }] },
      },
      ejectedTargets: ['shop/green/us'],
    };
    const config = configOf(
      [
        cluster('eu', { endpoints: [endpoint(1), endpoint(2), endpoint(4)], health: { ...QUICK_PROBE, intervalMs: 1e6 } }),
        cluster('us', { endpoints: [endpoint(3)] }),
      ],
      [service('shop', [version('green', ['us'])])],
    );
    const { subject, clock, events } = virtual(config, stored);
    assert.deepEqual(
      subject.endpoints('eu').map(({ health }) => health),
      ['down', 'up', 'unknown'],
    );
    assert.equal(stateOf(subject, 'us'), 'down');
    assert.deepEqual([subject.view().ejectedTargets, events], [['shop/green/us'], []]);
    subject.replace(configOf([cluster('us', { endpoints: [endpoint(3)] })], [service('shop', [version('green', ['us'])])]));
    clock.advance(5000);
    assert.equal(stateOf(subject, 'us'), 'up');
    assert.deepEqual(subject.view().ejectedTargets, []);
  });
});
