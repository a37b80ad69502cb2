// How a connection to an endpoint is secured: verified by default, with the cluster's own authority, name and client certificate where it has
// them; files are read again when they change, and sessions are resumed.
import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { ClusterConfig, ClusterTls, EndpointConfig } from '../config/config.ts';
import type { EndpointTls } from '../socket/upstream-socket.ts';

/** Reads a file the config names; throws when it cannot be read. */
export type ReadFile = (path: string) => Buffer;

export interface TlsSources {
  readonly readFile: ReadFile;
  readonly nowMs: () => number;
  /** Told when files have changed and cannot be used; what was read before still is. */
  readonly warn: (problem: string) => void;
}

/** Null for plain endpoints. Throws an Error that names the cluster when its files cannot be used. */
export function upstreamTls(cluster: ClusterConfig, endpoint: EndpointConfig, sources: TlsSources): EndpointTls | null {
  if (endpoint.scheme !== 'https') return null;
  const { serverName, verify } = cluster.tls;
  const name = serverName ?? (isIP(endpoint.host) === 0 ? endpoint.host : null);
  const files = new TlsFiles(cluster, sources);
  return {
    rejectUnauthorized: verify,
    ALPNProtocols: cluster.http2.enabled ? ['h2', 'http/1.1'] : ['http/1.1'],
    ...(name === null ? {} : { servername: name }),
    // Asked for anew by each connection, which copies what it finds.
    get secureContext() {
      files.look();
      return files.state.context;
    },
    get session() {
      return files.state.session;
    },
    get keepSession() {
      return files.state.keep;
    },
  };
}

/** A context and the last session that was begun with it: with other authorities the endpoint has to prove itself again. */
class TlsState {
  readonly context: SecureContext;
  session: Buffer | undefined;
  readonly keep = (session: Buffer): void => void (this.session = session);

  constructor(context: SecureContext) {
    this.context = context;
  }
}

/** Files are looked at this often, when there are connections to make. */
const LOOK_MS = 1000;

class TlsFiles {
  state: TlsState;
  readonly #cluster: ClusterConfig;
  readonly #sources: TlsSources;
  readonly #paths: readonly string[];
  #stamp: string;
  #lookedMs: number;
  #looking = false;

  constructor(cluster: ClusterConfig, sources: TlsSources) {
    const { ca, certificate } = cluster.tls;
    this.#cluster = cluster;
    this.#sources = sources;
    this.#paths = [ca, certificate?.cert, certificate?.key].filter((path) => typeof path === 'string');
    this.#stamp = this.#paths.map(stampNow).join(' ');
    this.#lookedMs = sources.nowMs();
    this.state = new TlsState(contextOf(cluster, sources.readFile));
  }

  /** No connection waits for the disk: what has changed is used by those that come later. */
  look(): void {
    const nowMs = this.#sources.nowMs();
    if (this.#paths.length === 0 || this.#looking || nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    this.#looking = true;
    void this.#refresh().finally(() => (this.#looking = false));
  }

  async #refresh(): Promise<void> {
    try {
      const stamp = (await Promise.all(this.#paths.map(stampLater))).join(' ');
      if (stamp === this.#stamp) return;
      this.state = new TlsState(contextOf(this.#cluster, this.#sources.readFile));
      this.#stamp = stamp;
    } catch (error) {
      // Between the writes of certificate and key the pair does not fit; the next look finds it whole.
      this.#sources.warn(`${error instanceof Error ? error.message : String(error)}; what was read before is kept`);
    }
  }
}

interface Stamped {
  readonly mtimeMs: number;
  readonly size: number;
  readonly ino: number;
}

const stampText = ({ mtimeMs, size, ino }: Stamped): string => `${mtimeMs}/${size}/${ino}`;

/** Empty when there is none: whether the file can be used shows when it is read. */
function stampNow(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? '' : stampText(found);
}

async function stampLater(path: string): Promise<string> {
  return stampText(await stat(path));
}

function contextOf({ name, tls }: ClusterConfig, readFile: ReadFile): SecureContext {
  try {
    return createSecureContext({ minVersion: tls.minVersion, ...authoritiesOf(tls, readFile), ...certificateOf(tls, readFile) });
  } catch (error) {
    throw new Error(`cluster ${name}: TLS to its endpoints cannot be set up: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function authoritiesOf({ ca }: ClusterTls, readFile: ReadFile): object {
  if (ca === null) return {};
  const pem = readFile(ca);
  try {
    // OpenSSL takes a file without any certificate for one that trusts nobody, and says nothing.
    new X509Certificate(pem);
  } catch (error) {
    throw new Error(`no certificate can be read from ${ca}; expected a PEM file of authorities`, { cause: error });
  }
  return { ca: pem };
}

function certificateOf({ certificate }: ClusterTls, readFile: ReadFile): object {
  return certificate === null ? {} : { cert: readFile(certificate.cert), key: readFile(certificate.key) };
}
