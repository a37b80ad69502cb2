// Where the API server is and who the agent is to it: from the service account of its pod, or from a kubeconfig file. The only reader of YAML here.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../../health/clock.ts';
import { type Credentials, FileCredentials, FixedCredentials, type ReadText, type TlsMaterial } from './credentials.ts';
import { EXEC_VERSIONS, ExecCredentials, type ExecPlugin } from './exec-plugin.ts';
import { fieldOf, flagOf, listOf, textOf } from './read-json.ts';

export interface ServerAccess {
  /** `https://host:port`, with a path where a proxy wants one. */
  readonly server: URL;
  readonly credentials: Credentials;
  /** For people. */
  readonly origin: string;
}

export interface AccessEnvironment {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readText?: ReadText;
}

export const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Whether the process runs in a pod with a service account. */
export function isInCluster(env: AccessEnvironment['env']): boolean {
  return (env['KUBERNETES_SERVICE_HOST'] ?? '') !== '';
}

/** The service account of the pod. */
export function inClusterAccess({ clock, env, readText = readFile }: AccessEnvironment, directory = SERVICE_ACCOUNT_DIR): ServerAccess {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = env['KUBERNETES_SERVICE_PORT_HTTPS'] ?? env['KUBERNETES_SERVICE_PORT'] ?? '443';
  const files = { tokenFile: `${directory}/token`, caFile: `${directory}/ca.crt`, certFile: null, keyFile: null };
  const server = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  return { server, credentials: new FileCredentials(files, {}, { clock, readText }), origin: 'the service account of the pod' };
}

/**
 * A kubeconfig file. `context` null: the current one. Throws an Error that says what is wrong with the file and how to mend it. Async, as YAML is
 * loaded only for this.
 */
export async function kubeconfigAccess(
  file: string,
  context: string | null,
  { clock, readText = readFile }: AccessEnvironment,
): Promise<ServerAccess> {
  const { parse } = await import('yaml');
  const fail = (problem: string): never => {
    throw new Error(`kubeconfig ${file}: ${problem}`);
  };
  let document: unknown;
  try {
    document = parse(readText(file));
  } catch (error) {
    return fail(`it cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const name = context ?? textOf(document, 'current-context');
  if (name === '') return fail('it has no current-context; name one with --context');
  const chosen = named(document, 'contexts', name) ?? fail(`it has no context "${name}"; it has ${namesOf(document, 'contexts')}`);
  const clusterName = textOf(chosen, 'context', 'cluster');
  const userName = textOf(chosen, 'context', 'user');
  const cluster = fieldOf(
    named(document, 'clusters', clusterName) ?? fail(`its context "${name}" names cluster "${clusterName}", which it does not have`),
    'cluster',
  );
  const user = fieldOf(
    named(document, 'users', userName) ?? fail(`its context "${name}" names user "${userName}", which it does not have`),
    'user',
  );
  const server = textOf(cluster, 'server');
  if (!URL.canParse(server) || !/^https?:/.test(server))
    return fail(`cluster "${clusterName}" has server "${server}"; expected https://HOST:PORT`);
  if (textOf(cluster, 'proxy-url') !== '')
    return fail(`cluster "${clusterName}" has a proxy-url, which is not supported; name a server that can be reached directly`);
  const place: Place = { at: (path) => resolve(dirname(file), path), fail, clock, readText };
  return { server: new URL(server), credentials: credentialsOf(user, cluster, place), origin: `context "${name}" of ${file}` };
}

interface Place {
  /** Files are named relative to the kubeconfig. */
  readonly at: (path: string) => string;
  readonly fail: (problem: string) => never;
  readonly clock: Clock;
  readonly readText: ReadText;
}

function credentialsOf(user: unknown, cluster: unknown, place: Place): Credentials {
  const { at, clock, readText } = place;
  if (fieldOf(user, 'auth-provider') !== undefined)
    place.fail('its user has an auth-provider, which Kubernetes 1.26 has removed; expected exec, a token or a client certificate');
  if (textOf(user, 'username') !== '')
    place.fail('its user has a password, which Kubernetes 1.19 has removed; expected exec, a token or a client certificate');
  const given: Partial<TlsMaterial> = {
    ...dataAs('ca', cluster, 'certificate-authority-data'),
    ...dataAs('cert', user, 'client-certificate-data'),
    ...dataAs('key', user, 'client-key-data'),
    serverName: textOf(cluster, 'tls-server-name') || null,
    verify: flagOf(cluster, 'insecure-skip-tls-verify') !== true,
  };
  const fileOf = (holder: unknown, key: string): string | null => {
    const path = textOf(holder, key);
    return path === '' ? null : at(path);
  };
  const files = {
    tokenFile: fileOf(user, 'tokenFile'),
    caFile: given.ca === undefined ? fileOf(cluster, 'certificate-authority') : null,
    certFile: given.cert === undefined ? fileOf(user, 'client-certificate') : null,
    keyFile: given.key === undefined ? fileOf(user, 'client-key') : null,
  };
  const exec = fieldOf(user, 'exec');
  const token = textOf(user, 'token');
  const isFixed = exec !== undefined || (token !== '' && files.tokenFile === null);
  if (!isFixed) return new FileCredentials(files, given, { clock, readText });
  const read = (path: string | null): string | null => (path === null ? null : readText(path));
  const tls: TlsMaterial = {
    ca: given.ca ?? read(files.caFile),
    cert: given.cert ?? read(files.certFile),
    key: given.key ?? read(files.keyFile),
    serverName: given.serverName ?? null,
    verify: given.verify ?? true,
  };
  if (exec === undefined) return new FixedCredentials({ authorization: `Bearer ${token}`, tls });
  return new ExecCredentials(execPlugin(exec, cluster, tls, place), tls, { clock });
}

function execPlugin(exec: unknown, cluster: unknown, { ca }: TlsMaterial, { at, fail }: Place): ExecPlugin {
  const apiVersion = textOf(exec, 'apiVersion');
  if (!EXEC_VERSIONS.some((version) => version === apiVersion))
    fail(`its user has an exec of apiVersion "${apiVersion}"; expected ${EXEC_VERSIONS.join(' or ')}`);
  const command = textOf(exec, 'command');
  if (command === '') fail('its user has an exec without a command');
  return {
    apiVersion,
    // A name is looked for in PATH, a path is relative to the file.
    command: command.includes('/') ? at(command) : command,
    args: listOf(exec, 'args').map(String),
    env: Object.fromEntries(listOf(exec, 'env').map((entry) => [textOf(entry, 'name'), textOf(entry, 'value')])),
    installHint: textOf(exec, 'installHint'),
    cluster: flagOf(exec, 'provideClusterInfo') === true ? { server: textOf(cluster, 'server'), ca } : null,
  };
}

function dataAs<K extends 'ca' | 'cert' | 'key'>(name: K, holder: unknown, key: string): { readonly [N in K]?: string } {
  const data = textOf(holder, key);
  return data === '' ? {} : ({ [name]: Buffer.from(data, 'base64').toString('utf8') } as { [N in K]: string });
}

function named(document: unknown, list: string, name: string): unknown {
  return listOf(document, list).find((entry) => textOf(entry, 'name') === name);
}

function namesOf(document: unknown, list: string): string {
  return listOf(document, list)
    .map((entry) => textOf(entry, 'name'))
    .join(', ');
}

const readFile: ReadText = (path) => readFileSync(path, 'utf8');
