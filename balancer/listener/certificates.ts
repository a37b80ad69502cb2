// The certificates of a TLS listener: chosen by server name, re-read when their files change, never half-loaded.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock, Timer } from '../../health/clock.ts';
import type { CertificateFiles, ListenerTls } from '../config/config.ts';
import type { Log } from '../log.ts';
import { readTrust, stampOf, trustStamp, type ClientTrust } from './client-trust.ts';
import { secureOptions, type ScopedOptions } from './secure-options.ts';

interface Loaded {
  readonly files: CertificateFiles;
  /** Changes when either file does; compared, never parsed. */
  readonly stamp: string;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly context: SecureContext;
  readonly names: readonly string[];
}

export type ReloadOutcome = 'read' | 'kept';

/** Files are looked at this often: watching does not survive the symbolic link swaps of mounted secrets. */
const CHECK_MS = 1000;
/** Certificates per look, so that thousands of them do not hold up requests; the next look goes on where this one ended. */
const CHECKED_AT_ONCE = 100;

export class CertificateSet {
  readonly #tls: ListenerTls;
  readonly #listener: string;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Null: clients are not asked for certificates. */
  #trust: ClientTrust | null;
  /** Whether it was told that the revocation lists are out of date. */
  #toldOutdated = false;
  #options: ScopedOptions;
  #loaded: Loaded[];
  #byName: ReadonlyMap<string, SecureContext>;
  #next = 0;
  #timer: Timer | null = null;
  /** Called after a certificate or the authorities were re-read. */
  onChange: () => void = () => undefined;
  /** Called for each changed file: it was re-read, or could not be used and the old one is kept. */
  onReload: (outcome: ReloadOutcome) => void = () => undefined;

  /** `listener` is where they are used. Throws an Error that names the file when a certificate cannot be used. */
  constructor(tls: ListenerTls, listener: string, clock: Clock, log: Log) {
    this.#tls = tls;
    this.#listener = listener;
    this.#clock = clock;
    this.#log = log;
    this.#trust = tls.clientCertificates === null ? null : readTrust(tls.clientCertificates);
    this.#options = secureOptions(listener, tls, this.#trust);
    this.#loaded = tls.certificates.map((files) => load(files, this.#options));
    this.#byName = index(this.#loaded);
  }

  /** Whose sessions are resumed: the same for all certificates, as the client may name another server the next time. */
  get scope(): string {
    return this.#options.sessionIdContext;
  }

  /** Nobody knows who was revoked since: no certificate is good until newer lists are there. OpenSSL sees to handshakes, but not to resumptions. */
  get revocationsOutdated(): boolean {
    return this.#trust !== null && this.#trust.revocations.untilMs < this.#clock.wallMs();
  }

  start(): void {
    this.#tellOutdated();
    this.#timer ??= this.#clock.after(CHECK_MS, () => this.#check(), true);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** The certificate whose name is `serverName`, else one with a fitting wildcard, else the first. */
  choose(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase();
    return this.#byName.get(name) ?? this.#byName.get(`*${name.slice(name.indexOf('.'))}`) ?? this.#loaded[0]?.context;
  }

  /** For clients that name no server; the rules of it, but for the certificate, are those of every handshake. */
  fallback(): SecureContextOptions {
    const first = this.#loaded[0];
    return first === undefined ? this.#options : { ...this.#options, cert: first.cert, key: first.key };
  }

  #check(): void {
    this.#timer = null;
    const looks = Math.min(CHECKED_AT_ONCE, this.#loaded.length);
    let changed = this.#refreshTrust();
    for (let look = 0; look < looks; look += 1) {
      if (this.#refresh(this.#next)) changed = true;
      this.#next = (this.#next + 1) % this.#loaded.length;
    }
    if (changed) {
      this.#byName = index(this.#loaded);
      this.onChange();
    }
    this.start();
  }

  /** True: the files were re-read, and every context has them. */
  #refreshTrust(): boolean {
    const [old, rules] = [this.#trust, this.#tls.clientCertificates];
    if (old === null || rules === null) return false;
    const files = { authorities: rules.ca, ...(rules.crl === null ? {} : { revocations: rules.crl }) };
    try {
      if (trustStamp(rules) === old.stamp) return false;
      const fresh = readTrust(rules);
      const options = secureOptions(this.#listener, this.#tls, fresh);
      this.#loaded = this.#loaded.map(({ files }) => load(files, options));
      this.#options = options;
      this.#trust = fresh;
      this.#toldOutdated = false;
      this.#log.info(files, 'authorities of client certificates re-read');
      this.onReload('read');
      return true;
    } catch (error) {
      this.#log.warn({ ...files, problem: String(error) }, 'authorities cannot be re-read; the old ones are kept');
      this.onReload('kept');
      return false;
    }
  }

  #tellOutdated(): void {
    const rules = this.#tls.clientCertificates;
    if (this.#toldOutdated || !this.revocationsOutdated || rules === null || this.#trust === null) return;
    this.#toldOutdated = true;
    const since = new Date(this.#trust.revocations.untilMs).toISOString();
    this.#log.error(
      { listener: this.#listener, revocations: rules.crl, since },
      'the list of revoked certificates is out of date: every client that sends a certificate is refused until the file is a newer one',
    );
  }

  /** True: it was re-read. */
  #refresh(at: number): boolean {
    const old = this.#loaded[at];
    if (old === undefined) return false;
    try {
      if (stampOf([old.files.cert, old.files.key]) === old.stamp) return false;
      const fresh = load(old.files, this.#options);
      this.#loaded[at] = fresh;
      this.#log.info({ certificate: old.files.cert, names: fresh.names }, 'certificate re-read');
      this.onReload('read');
      return true;
    } catch (error) {
      // Between the writes of certificate and key the pair does not fit; the next look finds it whole. Until then the old one serves.
      this.#log.warn({ certificate: old.files.cert, problem: String(error) }, 'certificate cannot be re-read; the old one is kept');
      this.onReload('kept');
      return false;
    }
  }
}

/** Of two certificates with the same name the first is used. */
function index(loaded: readonly Loaded[]): ReadonlyMap<string, SecureContext> {
  const byName = new Map<string, SecureContext>();
  for (const { names, context } of loaded) for (const name of names) if (!byName.has(name)) byName.set(name, context);
  return byName;
}

function load(files: CertificateFiles, options: SecureContextOptions): Loaded {
  const stamp = stampOf([files.cert, files.key]);
  const cert = readFileSync(files.cert);
  const key = readFileSync(files.key);
  const context = secureContext(files, { ...options, cert, key });
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
