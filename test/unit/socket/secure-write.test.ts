// Text that goes past the stream of a TLS socket arrives as if it had gone through it, whatever else is written, and whatever the peer does.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { TextWriter } from '../../../balancer/socket/text-writer.ts';
import { heardBy } from '../../support/heard-by.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { securePairs } from '../../support/secure-pair.ts';
import { until } from '../../support/until.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Writes, a piece a turn, until a piece waits in the stream; returns all that was written. */
async function fill(writer: TextWriter, socket: Socket): Promise<string> {
  let written = '';
  for (let round = 0; socket.writableLength === 0; round += 1) {
    const text = `${round}:${'x'.repeat(8000)};`;
    writer.write(text);
    written += text;
    await turn();
    await turn();
  }
  return written;
}

describe('text written past the stream of a TLS socket', () => {
  it('goes that way on the Node that comes with weir, write after write, and waits for nothing once the system has it', async (t) => {
    const { client, accepted } = await (await securePairs(t))();
    const writer = new TextWriter(accepted);
    const heard = heardBy(client);
    const throughStream = t.mock.method(accepted, 'write');
    let written = '';
    for (let round = 0; round < 500; round += 1) {
      const text = `caf\u00e9 ${round} \u00ff\u0000\n`;
      writer.write(text);
      written += text;
      await turn();
      assert.equal(writer.waitingBytes, 0);
    }
    await until(() => heard.text.length >= written.length, 'all has arrived');
    assert.equal(heard.text, written);
    assert.equal(throughStream.mock.callCount(), 0);
  });

  it('is known as long as the system has not taken it', async (t) => {
    const { client, accepted } = await (await securePairs(t))();
    client.pause();
    const writer = new TextWriter(accepted);
    const throughStream = t.mock.method(accepted, 'write');
    const text = 'x'.repeat(16_000);
    while (writer.waitingBytes === 0) {
      writer.write(text);
      await turn();
    }
    assert.equal(throughStream.mock.callCount(), 0);
    assert.equal(writer.waitingBytes, text.length);
    client.resume();
    await until(() => writer.waitingBytes === 0, 'it has left');
  });

  it('goes through it behind a write of the same turn, of which Node takes one at a time only', async (t) => {
    const { client, accepted } = await (await securePairs(t))();
    const heard = heardBy(client);
    const writers = [new TextWriter(accepted), new TextWriter(accepted)] as const;
    for (let round = 0; round < 100; round += 1) {
      for (const writer of writers) for (const text of ['a', 'b', 'c']) writer.writeNow(text);
      await until(() => accepted.writableLength === 0, 'it has left');
    }
    await until(() => heard.text.length >= 600, 'all has arrived');
    assert.equal(heard.text, 'abcabc'.repeat(100));
  });

  it('goes through it when the peer does not read, which says so and tells when it has left', async (t) => {
    const { client, accepted } = await (await securePairs(t))();
    client.pause();
    const writer = new TextWriter(accepted);
    let written = await fill(writer, accepted);
    assert.ok(writer.waitingBytes > accepted.writableLength, 'one goes on, another waits for it');
    const more = 'y'.repeat(accepted.writableHighWaterMark);
    assert.equal(writer.writeNow(more), false);
    written += more;
    const drained = once(accepted, 'drain');
    const heard = heardBy(client);
    await drained;
    assert.equal(writer.waitingBytes, 0);
    writer.writeNow('last');
    await until(() => heard.text.endsWith('last'), 'all has arrived');
    assert.equal(heard.text, `${written}last`);
  });

  it('is followed by the end of the stream, not overtaken by it', async (t) => {
    const { client, accepted } = await (await securePairs(t))();
    client.pause();
    const writer = new TextWriter(accepted);
    const written = await fill(writer, accepted);
    accepted.end();
    const heard = heardBy(client);
    await until(() => heard.ended, 'the end has arrived');
    assert.equal(heard.text, written);
  });

  it('is followed by the end of the stream also where it goes on and nothing waits', async (t) => {
    const pair = await securePairs(t);
    for (let run = 0; run < 20; run += 1) {
      const { client, accepted } = await pair();
      const heard = heardBy(client);
      new TextWriter(accepted).writeNow('all');
      accepted.end();
      await until(() => heard.ended, 'the end has arrived');
      assert.equal(heard.text, 'all');
    }
  });

  it('fails as a write of the stream does when the peer has reset the connection, and so does what waits behind it', async (t) => {
    const pair = await (await securePairs(t))();
    const { client, accepted } = pair;
    client.pause();
    const writer = new TextWriter(accepted);
    await fill(writer, accepted);
    const behind = new Promise<Error | null | undefined>((resolve) => accepted.write('behind', resolve));
    const failed = once(accepted, 'error') as Promise<[NodeJS.ErrnoException]>;
    pair.reset();
    const [error] = await failed;
    assert.match(error.code ?? '', /^(?:ECONNRESET|EPIPE)$/);
    assert.ok((await behind) instanceof Error);
    await until(() => accepted.closed, 'the socket is closed');
  });

  it('ends with the socket when that is destroyed while it goes on', async (t) => {
    const { accepted } = await (await securePairs(t))();
    new TextWriter(accepted).writeNow('gone');
    const behind = new Promise<Error | null | undefined>((resolve) => accepted.write('behind', resolve));
    // `once` rejects when the socket emits an error instead.
    const closed = once(accepted, 'close');
    accepted.destroy();
    await closed;
    assert.ok((await behind) instanceof Error);
  });

  it('keeps its order among two writers and bytes of the stream, in 20 random sequences, however the peer reads', async (t) => {
    const random = seededRandom(20_261_127);
    const pair = await securePairs(t);
    for (let run = 0; run < 20; run += 1) {
      const { client, accepted } = await pair();
      const writers = [new TextWriter(accepted), new TextWriter(accepted)] as const;
      const heard = heardBy(client);
      let written = '';
      for (let step = 0; step < 200; step += 1) {
        const text = String.fromCharCode(33 + (step % 90)).repeat(Math.floor(random() * (random() < 0.1 ? 100_000 : 3000)) + 1);
        written += text;
        const way = random();
        // What one gathers is not the other's to know of: that one writes at once.
        if (way < 0.4 && writers[0].waitingBytes > 0 && random() < 0.5) accepted.write(writers[0].take() + text, 'latin1');
        else if (way < 0.4) writers[0].write(text);
        else if (way < 0.7) writers[0].writeBytes(Buffer.from(text, 'latin1'));
        else {
          writers[0].flush();
          if (way < 0.85) writers[1].writeNow(text);
          else accepted.write(Buffer.from(text, 'latin1'));
        }
        assert.ok(writers[0].waitingBytes >= accepted.writableLength);
        if (random() < 0.1) client.pause();
        if (random() < 0.1) client.resume();
        if (random() < 0.2) await turn();
      }
      client.resume();
      writers[0].flush();
      accepted.end();
      await until(() => heard.ended, 'the end has arrived');
      assert.ok(heard.text === written, `run ${run}: ${heard.text.length} of ${written.length} bytes, or not the same`);
    }
  });
});
