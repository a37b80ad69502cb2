// The certificates of a TLS listener: chosen by server name, re-read when their files change, never half-loaded.
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock, Timer } from '../../health/clock.ts';
import type { CertificateFiles, ListenerTls } from '../config/config.ts';
import type { Log } from '../log.ts';

interface Loaded {
  readonly files: CertificateFiles;
  /** Changes when either file does; compared, never parsed. */
  readonly stamp: string;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly context: SecureContext;
  readonly names: readonly string[];
}

/** Files are looked at this often: watching does not survive the symbolic link swaps of mounted secrets. */
const CHECK_MS = 1000;

export class CertificateSet {
  readonly #tls: ListenerTls;
  readonly #clock: Clock;
  readonly #log: Log;
  #loaded: readonly Loaded[];
  #timer: Timer | null = null;
  /** Called after a certificate was re-read. */
  onChange: () => void = () => undefined;

  /** Throws an Error that names the file when a certificate cannot be used. */
  constructor(tls: ListenerTls, clock: Clock, log: Log) {
    this.#tls = tls;
    this.#clock = clock;
    this.#log = log;
    this.#loaded = tls.certificates.map((files) => load(files, tls.minVersion));
  }

  start(): void {
    this.#timer ??= this.#clock.after(CHECK_MS, () => this.#check(), true);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** The certificate whose name is `serverName`, else one with a fitting wildcard, else the first. */
  choose(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase();
    const wildcard = `*${name.slice(name.indexOf('.'))}`;
    const fitting =
      this.#loaded.find(({ names }) => names.includes(name)) ??
      this.#loaded.find(({ names }) => names.includes(wildcard)) ??
      this.#loaded[0];
    return fitting?.context;
  }

  /** What clients get that name no server. */
  fallback(): { readonly cert: Buffer; readonly key: Buffer } | Record<string, never> {
    const first = this.#loaded[0];
    return first === undefined ? {} : { cert: first.cert, key: first.key };
  }

  #check(): void {
    this.#timer = null;
    const fresh = this.#loaded.map((old) => this.#refresh(old));
    const changed = fresh.some((loaded, index) => loaded !== this.#loaded[index]);
    this.#loaded = fresh;
    if (changed) this.onChange();
    this.start();
  }

  #refresh(old: Loaded): Loaded {
    try {
      if (stampOf(old.files) === old.stamp) return old;
      const fresh = load(old.files, this.#tls.minVersion);
      this.#log.info({ certificate: old.files.cert, names: fresh.names }, 'certificate re-read');
      return fresh;
    } catch (error) {
      // Between the writes of certificate and key the pair does not fit; the next look finds it whole. Until then the old one serves.
      this.#log.warn({ certificate: old.files.cert, problem: String(error) }, 'certificate cannot be re-read; the old one is kept');
      return old;
    }
  }
}

function stampOf({ cert, key }: CertificateFiles): string {
  return [cert, key]
    .map((path) => {
      const { mtimeMs, size, ino } = statSync(path);
      return `${mtimeMs}/${size}/${ino}`;
    })
    .join(' ');
}

function load(files: CertificateFiles, minVersion: ListenerTls['minVersion']): Loaded {
  const stamp = stampOf(files);
  const cert = readFileSync(files.cert);
  const key = readFileSync(files.key);
  const context = secureContext(files, { cert, key, minVersion });
  const parsed = new X509Certificate(cert);
  const alternative = (parsed.subjectAltName ?? '').split(', ').filter((name) => name.startsWith('DNS:'));
  return { files, stamp, cert, key, context, names: alternative.map((name) => name.slice(4).toLowerCase()) };
}

/** OpenSSL says what is wrong and not where: the files are named here. */
function secureContext(files: CertificateFiles, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `certificate ${files.cert} with key ${files.key} cannot be used: ${reason}; expected a PEM certificate chain and the PEM private key that belongs to it`,
      { cause: error },
    );
  }
}
