// A real Kubernetes API server with its own etcd, as it is in Debian (1.20.2): no kubelet and no controllers, so objects are what a test writes.
// It shows lists, watches, faults, RBAC and tokens; of fields that are newer than 1.20 it knows nothing.
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Agent } from 'undici';
import { makeCertificate, type TestCertificate } from './certificates.ts';
import { freePort } from './free-port.ts';
import { startTranslator, type Translator } from './kube-translator.ts';
import { until } from './until.ts';

/** May do everything. */
export const ADMIN_TOKEN = 'admin-token';

export interface KubeApiServer {
  /** What an agent is given: `https://127.0.0.1:PORT` of the translator, which speaks the versions that an agent knows. */
  readonly url: string;
  /** The server itself, for what needs no translation. */
  readonly directUrl: string;
  readonly authority: TestCertificate;
  readonly directory: string;
  readonly translator: Translator;
  /** As `kubectl` would: JSON in, JSON out; rejects with what the server says. */
  ask(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Without a word, and back on the same port with what etcd has. */
  kill(): Promise<void>;
  start(): Promise<void>;
  killEtcd(): Promise<void>;
  startEtcd(): Promise<void>;
  /** SIGSTOP and SIGCONT: connections stay, and nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Of the server, in bytes. */
  readonly pid: () => number;
}

export interface KubeWish {
  /** Lines of the token file: `token,user,uid,"groups"`. */
  readonly tokens?: readonly string[];
  /** Flags of the server. */
  readonly flags?: readonly string[];
}

const READY_MS = 60_000;

/** Builds the server where it is not built yet, which takes minutes; ends with the test. */
export async function startKube(t: Pick<TestContext, 'after'>, wish: KubeWish = {}): Promise<KubeApiServer> {
  const binary = execFileSync(join(import.meta.dirname, 'build-kube-apiserver'), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
  const directory = mkdtempSync(join(tmpdir(), 'weir-kube-'));
  const authority = makeCertificate(directory, { names: ['weir-test-authority'] });
  const serving = makeCertificate(directory, { names: ['127.0.0.1', 'localhost'], ca: authority, file: 'serving' });
  const key = join(directory, 'service-account.key');
  execFileSync('openssl', ['genrsa', '-out', key, '2048'], { stdio: 'ignore' });
  const tokens = join(directory, 'tokens.csv');
  writeFileSync(tokens, [`${ADMIN_TOKEN},admin,1,"system:masters"`, ...(wish.tokens ?? [])].join('\n'));
  const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const etcd = program('etcd', [
    ...['--data-dir', join(directory, 'etcd'), '--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
    ...['--listen-peer-urls', `http://127.0.0.1:${peerPort}`, '--initial-advertise-peer-urls', `http://127.0.0.1:${peerPort}`],
    ...['--initial-cluster', `default=http://127.0.0.1:${peerPort}`, '--logger', 'zap', '--log-level', 'error'],
  ]);
  const server = program(binary, [
    ...['--etcd-servers', etcdUrl, '--bind-address', '127.0.0.1', '--secure-port', String(port), '--insecure-port', '0'],
    ...['--tls-cert-file', serving.cert, '--tls-private-key-file', serving.key, '--client-ca-file', authority.cert],
    ...[
      '--service-account-key-file',
      key,
      '--service-account-signing-key-file',
      key,
      '--service-account-issuer',
      'https://kubernetes.default.svc',
    ],
    ...['--token-auth-file', tokens, '--authorization-mode', 'RBAC', '--service-cluster-ip-range', '10.96.0.0/16'],
    // No kubelet and no controllers: nobody would take the taint from a node, or make an account for a namespace.
    ...['--disable-admission-plugins', 'ServiceAccount,TaintNodesByCondition', '--cert-dir', directory],
    ...['--feature-gates', 'EndpointSliceTerminatingCondition=true', '--max-requests-inflight', '1000', '--v', '0'],
    ...(wish.flags ?? []),
  ]);
  const directUrl = `https://127.0.0.1:${port}`;
  const translator = await startTranslator({ target: port, authority, serving });
  const dispatcher = new Agent({ connect: { ca: authority.pem }, headersTimeout: 30_000, bodyTimeout: 30_000 });
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const { statusCode, body: answer } = await dispatcher.request({
      ...{ origin: translator.url, path, method },
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    if (statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode} ${text}`);
    return text.startsWith('{') ? JSON.parse(text) : text;
  };
  const isReady = async (): Promise<boolean> => {
    try {
      return (await ask('GET', '/readyz')) === 'ok';
    } catch {
      return false;
    }
  };
  const start = async (): Promise<void> => {
    server.start();
    await until(isReady, 'the API server is ready', READY_MS);
  };
  t.after(async () => {
    await translator.close();
    await dispatcher.destroy();
    await server.kill();
    await etcd.kill();
    rmSync(directory, { recursive: true, force: true });
  });
  etcd.start();
  await start();
  return {
    url: translator.url,
    ...{ directUrl, authority, directory, translator, ask, start },
    kill: () => server.kill(),
    killEtcd: () => etcd.kill(),
    startEtcd: async () => {
      etcd.start();
      await until(isReady, 'the API server is ready again', READY_MS);
    },
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    pid: () => server.pid(),
  };
}

interface Program {
  start(): void;
  kill(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  pid(): number;
}

function program(command: string, args: readonly string[]): Program {
  let child: ChildProcess | null = null;
  return {
    start: () => {
      assert.equal(child, null, `${command} runs already`);
      child = spawn(command, [...args], { stdio: ['ignore', 'ignore', process.env['WEIR_KUBE_LOG'] === undefined ? 'ignore' : 'inherit'] });
    },
    kill: async () => {
      const running = child;
      child = null;
      if (running === null || running.exitCode !== null) return;
      const ended = once(running, 'exit');
      running.kill('SIGCONT');
      running.kill('SIGKILL');
      await ended;
    },
    signal: (name) => void child?.kill(name),
    pid: () => child?.pid ?? 0,
  };
}
