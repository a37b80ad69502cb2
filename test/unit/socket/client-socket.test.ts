// Clients' sockets are read into common memory: what is kept of a read outlasts the reads of all the others.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { ClientSocket } from '../../../balancer/socket/client-socket.ts';
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
          shared.push(link.isShared(bytes));
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

  it('reads apart when told so, into other memory after each loan, until told otherwise', async (t) => {
    const { client, link } = await pair(t);
    const reads: Buffer[] = [];
    link.reader = {
      onRead: (bytes, length) => {
        reads.push(bytes.subarray(0, length));
        if (reads.length === 1) link.readApart();
        if (reads.length === 2) link.lend();
        if (reads.length === 4) link.readTogether();
      },
    };
    for (const [index, text] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      client.write(text);
      await until(() => reads.length === index + 1, `${text} has been read`);
    }
    const [common, apart, afterLoan, again, together] = reads;
    assert.equal(String(apart), 'b', 'lent: the reads behind it left it alone');
    assert.equal(afterLoan?.buffer, again?.buffer, 'not lent: used again');
    assert.notEqual(apart?.buffer, afterLoan?.buffer);
    assert.equal(together?.buffer, common?.buffer);
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
