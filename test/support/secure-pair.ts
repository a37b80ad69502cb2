// Two ends of one TLS connection on loopback: a client's, and the one a server has accepted.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectPlainly, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { makeCertificate } from './certificates.ts';

export interface SecurePair {
  readonly client: TLSSocket;
  readonly accepted: TLSSocket;
  /** The client resets the connection. */
  reset(): void;
}

/** Each call connects anew. */
export async function securePairs(t: TestContext): Promise<() => Promise<SecurePair>> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-pair-'));
  const { cert, key } = makeCertificate(directory, { names: ['localhost'] });
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key), allowHalfOpen: true });
  rmSync(directory, { recursive: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return async () => {
    const connection = once(server, 'secureConnection') as Promise<[TLSSocket]>;
    const socket = connectPlainly((server.address() as AddressInfo).port, '127.0.0.1');
    const client = connect({ socket, rejectUnauthorized: false });
    await once(client, 'secureConnect');
    const [accepted] = await connection;
    t.after(() => {
      client.destroy();
      accepted.destroy();
    });
    return { client, accepted, reset: () => void socket.resetAndDestroy() };
  };
}
