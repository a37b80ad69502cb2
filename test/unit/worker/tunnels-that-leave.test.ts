// A tunnel that has to go: a WebSocket ends with a Close frame between two frames of each direction, everything else behind what was written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlines } from '../../../health/deadlines.ts';
import type { TunnelEnd, TunnelListener } from '../../../balancer/message/tunnel.ts';
import { FramePosition, goingAwayFrame } from '../../../balancer/message/websocket-frames.ts';
import { TUNNELS_LEASE_MS } from '../../../balancer/ipc-work.ts';
import { Tunnel, type TunnelCause } from '../../../balancer/worker/tunnel.ts';
import { TunnelCloser } from '../../../balancer/worker/tunnel-closer.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { fixedRandom } from '../../support/seeded-random.ts';

/** Records what it was asked, bytes in hex. */
class RecordedEnd implements TunnelEnd {
  readonly asked: string[] = [];
  listener: TunnelListener | null = null;

  attach(listener: TunnelListener): void {
    this.listener = listener;
  }
  write(chunk: Buffer): boolean {
    if (chunk.length > 0) this.asked.push(chunk.toString('hex'));
    return true;
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
    return undefined;
  }
}

const MASK = 0x01020304;
const CLOSE_TO_CLIENT = '880203e9';
/** 0x03e9 under the mask. */
const CLOSE_TO_SERVER = '88820102030402eb';

function open(upgrade: string) {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, 100);
  deadlines.start();
  const [client, upstream] = [new RecordedEnd(), new RecordedEnd()];
  const causes: TunnelCause[] = [];
  const joint = { client, upstream, cluster: 'one', upgrade };
  const tunnel = new Tunnel(joint, 60_000, deadlines, (_tunnel, cause) => void causes.push(cause));
  tunnel.start();
  assert.ok(client.listener !== null && upstream.listener !== null);
  return { clock, client, upstream, causes, tunnel, fromClient: client.listener, fromUpstream: upstream.listener };
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

test('between frames both ends are told at once, what they say afterwards is for nobody, and each is closed when it has answered', () => {
  const { client, upstream, fromClient, fromUpstream, tunnel, causes } = open('websocket');
  fromUpstream.onTunnelData(hex('810161'));
  tunnel.leave(MASK);
  assert.deepEqual([client.asked, upstream.asked], [['810161', CLOSE_TO_CLIENT], [CLOSE_TO_SERVER]]);
  fromUpstream.onTunnelData(hex('810162'));
  fromClient.onTunnelData(hex('888200000000'));
  assert.equal(client.asked.at(-1), 'end', 'it has answered');
  assert.equal(upstream.asked.at(-1), CLOSE_TO_SERVER);
  fromUpstream.onTunnelData(hex('880203e9'));
  fromClient.onTunnelClosed();
  fromUpstream.onTunnelClosed();
  assert.deepEqual(causes, ['moved']);
});

test('a frame that is under way is let through to its end, and nothing behind it', () => {
  const { client, fromUpstream, tunnel } = open('websocket');
  fromUpstream.onTunnelData(hex('82036162'));
  tunnel.leave(MASK);
  assert.deepEqual(client.asked, ['82036162']);
  fromUpstream.onTunnelData(hex('63810164'));
  assert.deepEqual(client.asked, ['82036162', '63', CLOSE_TO_CLIENT]);
});

test('an end that has said Close by itself is not told again', () => {
  const { client, upstream, fromUpstream, tunnel } = open('websocket');
  fromUpstream.onTunnelData(hex('880203e8'));
  tunnel.leave(MASK);
  assert.deepEqual(client.asked, ['880203e8']);
  assert.deepEqual(upstream.asked, [CLOSE_TO_SERVER]);
});

test('whoever does not answer is closed after 5 seconds, whatever it goes on sending', () => {
  const { clock, fromClient, tunnel, client, causes } = open('websocket');
  tunnel.leave(MASK);
  clock.advance(4800);
  fromClient.onTunnelData(hex('810161'));
  assert.deepEqual(causes, []);
  clock.advance(400);
  assert.deepEqual([causes, client.asked.at(-1)], [['moved'], 'destroy']);
});

test('bytes without frames end behind what was written', () => {
  const { client, upstream, fromClient, fromUpstream, tunnel, causes } = open('');
  fromUpstream.onTunnelData(hex('0102'));
  tunnel.leave(MASK);
  tunnel.leave(MASK);
  assert.deepEqual([client.asked, upstream.asked], [['0102', 'end'], ['end']]);
  fromClient.onTunnelClosed();
  fromUpstream.onTunnelClosed();
  assert.deepEqual(causes, ['moved']);
});

test('ends of frames are found whatever pieces the bytes come in', () => {
  const lengths = [0, 1, 125, 126, 65_535, 65_536];
  for (const masked of [false, true]) {
    const frames = lengths.map((length) => frame(length, masked));
    const ends = frames.map((_, index) => frames.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0));
    const all = Buffer.concat(frames);
    for (const size of [1, 7, 4096, all.length]) {
      const position = new FramePosition();
      const found: number[] = [];
      for (let at = 0; at < all.length;) {
        const step = position.pass(all.subarray(at, Math.min(at + size, Math.ceil((at + 1) / size) * size)), true);
        at += step;
        if (position.betweenFrames) found.push(at);
      }
      assert.deepEqual(found, ends, `pieces of ${size}`);
      assert.equal(position.sawClose, false);
    }
  }
  const closing = new FramePosition();
  closing.pass(goingAwayFrame(MASK), false);
  assert.deepEqual([closing.sawClose, closing.betweenFrames], [true, true]);
});

function frame(length: number, masked: boolean): Buffer {
  const extended = length < 126 ? Buffer.alloc(0) : Buffer.alloc(length < 65_536 ? 2 : 8);
  if (extended.length === 2) extended.writeUInt16BE(length);
  if (extended.length === 8) extended.writeBigUInt64BE(BigInt(length));
  const seven = extended.length === 0 ? length : extended.length === 2 ? 126 : 127;
  const mask = Buffer.alloc(masked ? 4 : 0, 0x88);
  return Buffer.concat([Buffer.from([0x82, (masked ? 0x80 : 0) | seven]), extended, mask, Buffer.alloc(length, 0x88)]);
}

test('tunnels of a cluster are closed one by one at the pace that was asked for, for as long as it is asked for', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, 100);
  const tunnels = new Set<Tunnel>();
  const add = (cluster: string): void => {
    const joint = { client: new RecordedEnd(), upstream: new RecordedEnd(), cluster, upgrade: 'websocket' };
    tunnels.add(new Tunnel(joint, 60_000, deadlines, () => undefined));
  };
  for (const cluster of ['one', 'two', 'one', 'one', 'one', 'one', 'one', 'one', 'one', 'one']) add(cluster);
  const closing: string[] = [];
  const closer = new TunnelCloser({ clock, random: fixedRandom(0.5), tunnels, onClosing: (cluster) => void closing.push(cluster) });
  closer.set('one', 2);
  clock.advance(1000);
  assert.deepEqual(closing, ['one', 'one']);
  assert.deepEqual(
    [...tunnels].map(({ leaving }) => leaving).slice(0, 4),
    [true, false, true, false],
    'the oldest first, and none of another cluster',
  );
  clock.advance(TUNNELS_LEASE_MS + 5000);
  assert.equal(closing.length, (TUNNELS_LEASE_MS / 1000) * 2, 'nobody asked again');
  closer.set('one', 2);
  closer.set('one', 0);
  clock.advance(2000);
  assert.equal(closing.length, 6);
});
