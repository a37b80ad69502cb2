// Two ends and what passes between them: directions end one by one, nothing that waits is dropped, and whoever breaks off is named.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlines } from '../../../health/deadlines.ts';
import type { TunnelEnd, TunnelListener } from '../../../balancer/message/tunnel.ts';
import { Tunnel, type TunnelCause } from '../../../balancer/worker/tunnel.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** Records what it was asked, in order; takes bytes as long as `flows`. */
class RecordedEnd implements TunnelEnd {
  readonly asked: string[] = [];
  flows = true;
  listener: TunnelListener | null = null;

  attach(listener: TunnelListener): void {
    this.listener = listener;
  }
  write(chunk: Buffer): boolean {
    this.asked.push(`write ${chunk.toString()}`);
    return this.flows;
  }
  end(): void {
    this.asked.push('end');
  }
  destroy(): void {
    this.asked.push('destroy');
  }
  pause(): void {
    this.asked.push('pause');
  }
  resume(): void {
    this.asked.push('resume');
  }
}

const IDLE_MS = 1000;

function open(upgrade = '') {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, 100);
  deadlines.start();
  const [client, upstream] = [new RecordedEnd(), new RecordedEnd()];
  const causes: TunnelCause[] = [];
  const tunnel = new Tunnel({ client, upstream, cluster: 'one', upgrade }, IDLE_MS, deadlines, (_tunnel, cause) => void causes.push(cause));
  tunnel.start();
  assert.ok(client.listener !== null && upstream.listener !== null);
  return { clock, client, upstream, causes, tunnel, fromClient: client.listener, fromUpstream: upstream.listener };
}

test('what one end cannot take stops the other, until it has', () => {
  const { client, upstream, fromUpstream, fromClient, tunnel } = open();
  client.flows = false;
  fromUpstream.onTunnelData(Buffer.from('abc'));
  fromClient.onTunnelData(Buffer.from('de'));
  assert.deepEqual(upstream.asked, ['pause', 'write de']);
  fromClient.onTunnelDrain();
  assert.deepEqual(upstream.asked, ['pause', 'write de', 'resume']);
  assert.deepEqual(client.asked, ['write abc']);
  assert.deepEqual(tunnel.totals, { bytesIn: 2, bytesOut: 3 });
});

test('one direction that ends leaves the other open', () => {
  const { client, upstream, fromClient, fromUpstream, causes } = open();
  fromClient.onTunnelEnd();
  fromUpstream.onTunnelData(Buffer.from('still'));
  assert.deepEqual([upstream.asked, client.asked, causes], [['end'], ['write still'], []]);
});

test('after both ends the slower one writes what waits: it is not destroyed when the other closes', () => {
  const { client, fromClient, fromUpstream, causes } = open();
  fromClient.onTunnelEnd();
  fromUpstream.onTunnelEnd();
  fromUpstream.onTunnelClosed();
  assert.deepEqual([client.asked, causes], [['end'], []]);
  fromClient.onTunnelClosed();
  assert.deepEqual(causes, ['complete']);
});

test('an end that closes before both directions have ended breaks the other off, and is named once', () => {
  for (const who of ['client', 'upstream'] as const) {
    const { client, upstream, fromClient, fromUpstream, causes } = open();
    const [left, other] = who === 'client' ? [fromClient, upstream] : [fromUpstream, client];
    left.onTunnelEnd();
    left.onTunnelClosed();
    left.onTunnelClosed();
    assert.deepEqual([other.asked, causes], [['end', 'destroy'], [who]]);
  }
});

test('without a byte either way for too long it is closed; taking what waited counts as a byte', () => {
  const { clock, causes, client, fromUpstream, fromClient } = open();
  clock.advance(900);
  client.flows = false;
  fromUpstream.onTunnelData(Buffer.from('a'));
  clock.advance(900);
  fromClient.onTunnelDrain();
  clock.advance(900);
  assert.deepEqual(causes, []);
  clock.advance(200);
  assert.deepEqual(causes, ['idle']);
});

test('closed from outside it says so', () => {
  const { tunnel, causes, client, upstream } = open();
  tunnel.close();
  tunnel.close();
  assert.deepEqual([causes, client.asked, upstream.asked], [['cut'], ['destroy'], ['destroy']]);
});
