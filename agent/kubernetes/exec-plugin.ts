// Credentials that a program gives out, as kubeconfig files name them (`exec`): clouds log in this way.
import { execFile } from 'node:child_process';
import type { Clock } from '../../health/clock.ts';
import type { Access, Credentials, TlsMaterial } from './credentials.ts';
import { textOf } from './read-json.ts';

export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Said to whoever does not have the program. */
  readonly installHint: string;
  /** The cluster, for programs that ask for it (`provideClusterInfo`); null: they do not. */
  readonly cluster: { readonly server: string; readonly ca: string | null } | null;
}

/** Runs a program; rejects with what it said. */
export type RunProgram = (command: string, args: readonly string[], env: Readonly<Record<string, string>>) => Promise<string>;

const RUN_MS = 30_000;
const MOST_BYTES = 1_048_576;
/** A credential is replaced so long before it ends. */
const EARLY_MS = 30_000;
export const EXEC_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'] as const;

/** One run at a time, kept until it ends or is refused. */
export class ExecCredentials implements Credentials {
  readonly #plugin: ExecPlugin;
  readonly #tls: TlsMaterial;
  readonly #clock: Clock;
  readonly #run: RunProgram;
  #access: Access | null = null;
  #endsAtMs = Infinity;
  #running: Promise<Access> | null = null;

  constructor(plugin: ExecPlugin, tls: TlsMaterial, { clock, run = runProgram }: { readonly clock: Clock; readonly run?: RunProgram }) {
    this.#plugin = plugin;
    this.#tls = tls;
    this.#clock = clock;
    this.#run = run;
  }

  access(): Promise<Access> {
    if (this.#access !== null && this.#clock.wallMs() < this.#endsAtMs - EARLY_MS) return Promise.resolve(this.#access);
    this.#running ??= this.#ask().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  refused(): void {
    this.#access = null;
  }

  async #ask(): Promise<Access> {
    const { apiVersion, command, args, env, installHint, cluster } = this.#plugin;
    const spec = cluster === null ? {} : { cluster: { server: cluster.server, ...dataOf(cluster.ca) } };
    const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false, ...spec } });
    let text: string;
    try {
      text = await this.#run(command, args, { ...env, KUBERNETES_EXEC_INFO: info });
    } catch (error) {
      const hint = installHint === '' ? '' : `; ${installHint}`;
      throw new Error(`the program "${command}" of the kubeconfig gave no credentials: ${messageOf(error)}${hint}`, { cause: error });
    }
    const status = statusOf(text, command, apiVersion);
    const token = textOf(status, 'token');
    const [cert, key] = [textOf(status, 'clientCertificateData'), textOf(status, 'clientKeyData')];
    if (token === '' && (cert === '' || key === ''))
      throw new Error(
        `the program "${command}" of the kubeconfig answered without credentials; expected status.token, or a certificate and its key`,
      );
    const endsAtMs = Date.parse(textOf(status, 'expirationTimestamp'));
    this.#endsAtMs = Number.isNaN(endsAtMs) ? Infinity : endsAtMs;
    this.#access = {
      authorization: token === '' ? null : `Bearer ${token}`,
      tls: cert === '' ? this.#tls : { ...this.#tls, cert, key },
    };
    return this.#access;
  }
}

function statusOf(text: string, command: string, apiVersion: string): unknown {
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // Told below: nothing of the text is shown, as it may hold a token.
  }
  if (textOf(value, 'kind') !== 'ExecCredential' || textOf(value, 'apiVersion') !== apiVersion)
    throw new Error(`the program "${command}" of the kubeconfig answered something else; expected an ExecCredential of ${apiVersion}`);
  return Reflect.get(Object(value), 'status');
}

function dataOf(ca: string | null): Readonly<Record<string, string>> {
  return ca === null ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
}

function runProgram(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: RUN_MS, maxBuffer: MOST_BYTES, windowsHide: true };
    const child = execFile(command, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr.trim().split('\n').at(-1) || error.message, { cause: error }));
    });
    child.stdin?.end();
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
