// A link between two programs on this machine with the troubles of a real one: it delays, loses answers, is cut, and stays open while nothing gets through.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface TroubledLink {
  /** Where to connect to in place of the real one. */
  readonly port: number;
  /** All is well, for connections that are made from now on; those that hang stay as they are. */
  heal(): void;
  /** Each way takes so long. */
  delay(ms: number): void;
  /** Connections end with a reset, and new ones at once. */
  cut(): void;
  /** Connections stay, and nothing gets through; new ones too. For good, as when a peer vanished without a word. */
  hang(): void;
  /** What is asked arrives, and what is answered does not. */
  loseAnswers(): void;
  /** Connections that are open now. */
  readonly open: number;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  hangs: boolean;
  /** Bytes of it are gone. */
  lost: boolean;
}

type State = 'well' | 'cut' | 'hangs' | 'mute';

export async function startTroubledLink(t: Pick<TestContext, 'after'>, to: number): Promise<TroubledLink> {
  const pairs = new Set<Pair>();
  let state: State = 'well';
  let delayMs = 0;
  const carry = (pair: Pair, from: Socket, into: Socket): void => {
    from.on('data', (bytes: Buffer) => {
      if (state === 'mute' && from === pair.far) pair.lost = true;
      if (pair.hangs || pair.lost) return;
      // One that hangs meanwhile delivers nothing any more.
      setTimeout(() => {
        if (!pair.hangs && into.writable) into.write(bytes);
      }, delayMs);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      pairs.delete(pair);
      if (!pair.hangs) into.destroy();
    });
  };
  const server = createServer((near) => {
    near.on('error', () => undefined);
    if (state === 'cut') return void near.resetAndDestroy();
    const pair: Pair = { near, far: connect(to, '127.0.0.1'), hangs: state === 'hangs', lost: false };
    near.setNoDelay(true);
    pair.far.setNoDelay(true);
    pairs.add(pair);
    carry(pair, near, pair.far);
    carry(pair, pair.far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = (): void => pairs.forEach(({ near, far }) => [near, far].forEach((socket) => socket.destroy()));
  t.after(() => {
    end();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    heal: () => {
      state = 'well';
      delayMs = 0;
      // TCP gives on everything or nothing: a connection that has lost something ends.
      for (const { near, lost } of pairs) if (lost) near.resetAndDestroy();
    },
    delay: (ms) => {
      delayMs = ms;
    },
    cut: () => {
      state = 'cut';
      pairs.forEach(({ near }) => near.resetAndDestroy());
    },
    hang: () => {
      state = 'hangs';
      pairs.forEach((pair) => (pair.hangs = true));
    },
    loseAnswers: () => {
      state = 'mute';
    },
    get open() {
      return pairs.size;
    },
  };
}
