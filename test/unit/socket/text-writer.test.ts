// Text that goes past a socket's stream arrives as if it had gone through it, whatever the peer does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { TextWriter } from '../../../balancer/socket/text-writer.ts';
import { heardBy } from '../../support/heard-by.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { socketPair } from '../../support/socket-pair.ts';
import { until } from '../../support/until.ts';

/** Writes until the system takes no more at once; returns all that was written. */
function fill(writer: TextWriter, socket: Socket): string {
  let written = '';
  for (let round = 0; socket.writableLength === 0; round += 1) {
    const text = `${round}:${'x'.repeat(8000)};`;
    writer.writeNow(text);
    written += text;
  }
  return written;
}

describe('text written past the stream', () => {
  it('goes that way on the Node that comes with weir', async (t) => {
    const { client, accepted } = await socketPair(t);
    const writer = new TextWriter(accepted);
    const heard = heardBy(client);
    assert.equal(writer.direct, true);
    const throughStream = t.mock.method(accepted, 'write');
    assert.equal(writer.writeNow('caf\u00e9 '), true);
    assert.equal(writer.writeBytes(Buffer.from([0xff, 0x00, 0x0a])), true);
    await until(() => heard.text.length === 8, 'all has arrived');
    assert.equal(heard.text, 'caf\u00e9 \u00ff\u0000\n');
    assert.equal(throughStream.mock.callCount(), 0);
  });

  it('waits in the stream when the peer does not read, which says so and tells when it has left', async (t) => {
    const { client, accepted } = await socketPair(t);
    client.pause();
    const writer = new TextWriter(accepted);
    let written = fill(writer, accepted);
    assert.ok(accepted.writableLength > 0 && accepted.writableLength <= 8010, `${accepted.writableLength} bytes wait`);
    const more = 'y'.repeat(accepted.writableHighWaterMark);
    assert.equal(writer.writeNow(more), false);
    written += more;
    assert.equal(accepted.writableNeedDrain, true);
    const drained = once(accepted, 'drain');
    const heard = heardBy(client);
    await drained;
    assert.equal(accepted.writableLength, 0);
    writer.writeNow('last');
    await until(() => heard.text.endsWith('last'), 'all has arrived');
    assert.equal(heard.text, `${written}last`);
  });

  it('is followed by the end of the stream, not overtaken by it', async (t) => {
    const { client, accepted } = await socketPair(t);
    client.pause();
    const written = fill(new TextWriter(accepted), accepted);
    accepted.end();
    const heard = heardBy(client);
    await until(() => heard.ended, 'the end has arrived');
    assert.equal(heard.text, written);
  });

  it('fails as a write of the stream does when the peer has reset the connection', async (t) => {
    const { client, accepted } = await socketPair(t);
    client.pause();
    const writer = new TextWriter(accepted);
    fill(writer, accepted);
    const failed = once(accepted, 'error') as Promise<[NodeJS.ErrnoException]>;
    client.resetAndDestroy();
    const [error] = await failed;
    assert.match(error.code ?? '', /^(?:ECONNRESET|EPIPE)$/);
    await until(() => accepted.closed, 'the socket is closed');
  });

  it('fails at once on a connection that the system knows to be gone', async (t) => {
    const { client, accepted } = await socketPair(t);
    const writer = new TextWriter(accepted);
    accepted.pause();
    const failed = once(accepted, 'error') as Promise<[NodeJS.ErrnoException]>;
    client.resetAndDestroy();
    await once(client, 'close');
    for (let tries = 0; tries < 1000 && !accepted.errored; tries += 1) {
      writer.writeNow('anybody?');
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [error] = await failed;
    assert.match(error.code ?? '', /^(?:ECONNRESET|EPIPE)$/);
  });

  it('ends with the socket when that is destroyed before all has left', async (t) => {
    const { client, accepted } = await socketPair(t);
    client.pause();
    fill(new TextWriter(accepted), accepted);
    // `once` rejects when the socket emits an error instead.
    const closed = once(accepted, 'close');
    accepted.destroy();
    await closed;
  });

  it('is gathered over a turn, in one call of the system, and held no longer', async (t) => {
    const { client, accepted } = await socketPair(t);
    const writer = new TextWriter(accepted);
    const heard = heardBy(client);
    const calls = t.mock.method(
      Reflect.get(accepted, '_handle') as { writeLatin1String(request: object, text: string): number },
      'writeLatin1String',
    );
    writer.write('one ');
    writer.writeBytes(Buffer.from('two '));
    writer.write('three');
    assert.equal(calls.mock.callCount(), 0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      calls.mock.calls.map(({ arguments: [, text] }) => text),
      ['one two three'],
    );
    await until(() => heard.text === 'one two three', 'all has arrived');
  });

  it('is held up to a bound only', async (t) => {
    const { client, accepted } = await socketPair(t);
    const writer = new TextWriter(accepted);
    const heard = heardBy(client);
    let written = '';
    while (written.length < 1_000_000) {
      const text = `${written.length};`.padEnd(5000, 'z');
      writer.write(text);
      written += text;
    }
    assert.ok(writer.take().length <= 16_384);
    await until(() => heard.text.length >= written.length - 16_384, 'all else has arrived');
    assert.ok(written.startsWith(heard.text));
  });

  it('that waits for the end of the turn is dropped with the socket', async (t) => {
    const { accepted } = await socketPair(t);
    const writer = new TextWriter(accepted);
    writer.write('too late');
    const closed = once(accepted, 'close');
    accepted.destroy();
    await closed;
  });

  it('keeps its order among bytes that go through the stream, in 20 random sequences, however the peer reads', async (t) => {
    const random = seededRandom(20_261_126);
    for (let run = 0; run < 20; run += 1) {
      const { client, accepted } = await socketPair(t);
      const writer = new TextWriter(accepted);
      const heard = heardBy(client);
      let written = '';
      for (let step = 0; step < 200; step += 1) {
        const text = String.fromCharCode(33 + (step % 90)).repeat(Math.floor(random() * (random() < 0.1 ? 100_000 : 3000)) + 1);
        written += text;
        const way = random();
        if (way < 0.5) writer.write(text);
        else if (way < 0.8) writer.writeBytes(Buffer.from(text, 'latin1'));
        else {
          if (random() < 0.5) writer.flush();
          else {
            const before = writer.take();
            if (before !== '') accepted.write(before, 'latin1');
          }
          accepted.write(Buffer.from(text, 'latin1'));
        }
        assert.equal(writer.waitingBytes, accepted.writableLength, 'known without asking the stream');
        assert.equal(writer.needsDrain, accepted.writableNeedDrain);
        if (random() < 0.1) client.pause();
        if (random() < 0.1) client.resume();
        if (random() < 0.2) await new Promise((resolve) => setImmediate(resolve));
      }
      client.resume();
      writer.flush();
      accepted.end();
      await until(() => heard.ended, 'the end has arrived');
      assert.ok(heard.text === written, `run ${run}: ${heard.text.length} of ${written.length} bytes, or not the same`);
    }
  });
});
