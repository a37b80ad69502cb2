// Clients' sockets are read into common memory: what is kept of a read outlasts the reads of all the others.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { ClientSocket } from '../../../balancer/socket/client-socket.ts';
import { COMMON_MEMORY } from '../../../balancer/socket/read-buffer.ts';
import { socketPair } from '../../support/socket-pair.ts';
import { until } from '../../support/until.ts';

/** A client's socket and the accepted one at its other end. */
async function pair(t: TestContext): Promise<{ readonly client: Socket; readonly link: ClientSocket }> {
  const { client, accepted } = await socketPair(t);
  return { client, link: new ClientSocket(accepted) };
}

describe("a client's socket", () => {
  it('is read in place on the Node that comes with weir', async (t) => {
    const { link } = await pair(t);
    assert.equal(link.inPlace, true);
  });

  it('shares its memory with the others; what is owned stays', async (t) => {
    const [one, other] = [await pair(t), await pair(t)];
    const kept: Buffer[] = [];
    const shared: boolean[] = [];
    for (const { link } of [one, other]) {
      link.reader = {
        onRead: (bytes, length) => {
          kept.push(link.owned(bytes, 0, length));
          shared.push(bytes === COMMON_MEMORY);
        },
      };
    }
    one.client.write('first');
    await until(() => kept.length === 1, 'the first has been read');
    other.client.write('other');
    await until(() => kept.length === 2, 'the other has been read');
    assert.deepEqual(kept.map(String), ['first', 'other']);
    assert.deepEqual(shared, [true, true]);
  });

  it('reads apart when told so, not before what is held is released, and into other memory where it is not', async (t) => {
    const { client, link } = await pair(t);
    const reads: Buffer[] = [];
    link.reader = {
      onRead: (bytes, length) => {
        reads.push(bytes.subarray(0, length));
        if (reads.length === 1) link.readApart();
        if (reads.length === 2 || reads.length === 3) link.hold();
        if (reads.length === 4) link.readTogether(true);
      },
    };
    for (const [index, text] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      client.write(text);
      if (index === 2 || index === 3) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        assert.equal(reads.length, index, 'nothing is read while something is held');
        if (index === 2) link.release();
        link.resume();
      }
      await until(() => reads.length === index + 1, `${text} has been read`);
    }
    const [common, apart, afterRelease, afterHold, together] = reads;
    assert.equal(apart?.buffer, afterRelease?.buffer, 'released: used again');
    assert.equal(String(afterRelease), 'c', 'held: the reads behind it left it alone');
    assert.notEqual(afterRelease?.buffer, afterHold?.buffer);
    assert.equal(together?.buffer, common?.buffer);
  });

  it('reads more at once where there is more, and less again when it was held too long', async (t) => {
    const { client, link } = await pair(t);
    const sizes: number[] = [];
    let read = 0;
    link.reader = {
      onRead: (bytes, length) => {
        link.readApart();
        read += length;
        sizes.push(bytes.length);
        if (length > 200_000) link.hold();
      },
    };
    link.pause();
    for (let sent = 0; sent < 2_000_000; sent += 100_000) client.write(Buffer.alloc(100_000));
    await until(() => client.writableLength < 1_000_000, 'much waits');
    link.resume();
    await until(() => sizes.includes(262_144), 'more is read at once');
    link.resume();
    await until(() => sizes.lastIndexOf(65_536) > sizes.indexOf(262_144), 'less is read again');
    assert.equal(sizes[0], 65_536);
    while (read < 2_000_000) {
      link.resume();
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('gets what another reader gave back, then what comes after it', async (t) => {
    const { client, link } = await pair(t);
    let text = '';
    link.reader = { onRead: (bytes, length) => (text += bytes.latin1Slice(0, length)) };
    link.socket.unshift(Buffer.from('before '));
    link.socket.resume();
    client.write('after');
    await until(() => text.length >= 12, 'both have been read');
    assert.equal(text, 'before after');
  });

  it('is not read while it is paused, and tells of its end', async (t) => {
    const { client, link } = await pair(t);
    const seen: string[] = [];
    link.reader = {
      onRead: (bytes, length) => {
        seen.push(bytes.latin1Slice(0, length));
        link.socket.pause();
      },
    };
    link.socket.on('end', () => seen.push('end'));
    link.socket.resume();
    client.write('one');
    await until(() => seen.length === 1, 'the first has been read');
    client.end('two');
    await once(client, 'finish');
    assert.deepEqual(seen, ['one']);
    link.socket.resume();
    await until(() => seen.length === 2, 'the second has been read');
    link.socket.resume();
    await until(() => seen.length === 3, 'the end has come');
    assert.deepEqual(seen, ['one', 'two', 'end']);
  });
});
