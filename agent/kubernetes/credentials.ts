// Who the agent is to the API server: a token that is read again, a client certificate, or both.
import type { Clock } from '../../health/clock.ts';

/** What a connection is made with; another object means that connections have to be made anew. */
export interface TlsMaterial {
  /** PEM; null: the system's authorities. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly serverName: string | null;
  readonly verify: boolean;
}

export interface Access {
  /** The field `authorization`; null: the certificate says it all. */
  readonly authorization: string | null;
  readonly tls: TlsMaterial;
}

export interface Credentials {
  /** What to come with now. Rejects with an Error that teaches. */
  access(): Promise<Access>;
  /** The server did not accept it (401): read anew for the next one. */
  refused(): void;
}

export type ReadText = (path: string) => string;

/** A projected token lives an hour and is replaced at 80 % of it; the file is read again after this, as the API's own clients do. */
const REREAD_MS = 60_000;

export interface CredentialFiles {
  /** Null: no token. */
  readonly tokenFile: string | null;
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

/** Credentials out of files that others replace: the service account of a pod, or files that a kubeconfig names. What is given goes before what is read. */
export class FileCredentials implements Credentials {
  readonly #files: CredentialFiles;
  readonly #given: Partial<TlsMaterial>;
  readonly #clock: Clock;
  readonly #read: ReadText;
  #access: Access | null = null;
  #readAtMs = 0;

  constructor(
    files: CredentialFiles,
    given: Partial<TlsMaterial>,
    { clock, readText }: { readonly clock: Clock; readonly readText: ReadText },
  ) {
    this.#files = files;
    this.#given = given;
    this.#clock = clock;
    this.#read = readText;
  }

  /** Files that cannot be read now leave what was read before: whoever replaces them may be at it. */
  access(): Promise<Access> {
    const nowMs = this.#clock.nowMs();
    if (this.#access !== null && nowMs - this.#readAtMs < REREAD_MS) return Promise.resolve(this.#access);
    try {
      this.#access = this.#anew(this.#access);
    } catch (error) {
      if (this.#access === null) return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    this.#readAtMs = nowMs;
    return Promise.resolve(this.#access);
  }

  refused(): void {
    this.#readAtMs = -Infinity;
  }

  #anew(before: Access | null): Access {
    const { tokenFile, caFile, certFile, keyFile } = this.#files;
    const token = this.#text(tokenFile, 'token')?.trim() ?? null;
    const tls: TlsMaterial = {
      ca: this.#text(caFile, 'authority'),
      cert: this.#text(certFile, 'certificate'),
      key: this.#text(keyFile, 'key'),
      serverName: null,
      verify: true,
      ...this.#given,
    };
    return {
      authorization: token === null ? null : `Bearer ${token}`,
      tls: before !== null && sameTls(before.tls, tls) ? before.tls : tls,
    };
  }

  #text(file: string | null, what: string): string | null {
    if (file === null) return null;
    try {
      return this.#read(file);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw new Error(`the file with the ${what} for the API server cannot be read: ${problem}`, { cause: error });
    }
  }
}

/** Always the same. */
export class FixedCredentials implements Credentials {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  access(): Promise<Access> {
    return Promise.resolve(this.#access);
  }

  refused(): void {
    // There is nothing else to come with.
  }
}

function sameTls(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.ca === b.ca && a.cert === b.cert && a.key === b.key && a.serverName === b.serverName && a.verify === b.verify;
}
