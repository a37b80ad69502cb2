// From the settings of an agent to a view of its cluster, or what is wrong with them.
import type { Log } from '../balancer/log.ts';
import type { Clock, Random } from '../health/clock.ts';
import { ClusterSource } from './cluster-source.ts';
import { HttpApi } from './kubernetes/http-api.ts';
import { inClusterAccess, isInCluster, kubeconfigAccess, type ServerAccess } from './kubernetes/kubeconfig.ts';
import type { KubernetesRequest } from './kubernetes/request.ts';
import { readAgentFile } from './settings.ts';

export interface KubernetesSettings {
  /** The file that says what counts in the cluster. */
  readonly configFile: string;
  /** Null: the service account of the pod; outside of one the file that KUBECONFIG names, or `~/.kube/config`. */
  readonly kubeconfig: string | null;
  readonly context: string | null;
}

/** The API server, for what is asked for beside what is read. */
export interface OpenServer {
  readonly request: KubernetesRequest;
  close(): Promise<void>;
}

export interface OpenCluster extends OpenServer {
  readonly source: ClusterSource;
  /** For people. */
  readonly origin: string;
}

interface Environment {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Rejects with an Error that says all that is wrong. Reads files only; nothing is asked of the API server before `source.start()`. */
export async function openCluster(
  settings: KubernetesSettings,
  { clock, random, log, env = process.env }: Environment,
): Promise<OpenCluster> {
  const read = await readAgentFile(settings.configFile);
  if (!read.ok) throw new Error(read.problems.join('\n'));
  const { server, credentials, origin } = await accessOf(settings, clock, env);
  // What is wrong with the credentials is told now, while somebody watches.
  await credentials.access();
  const api = new HttpApi(server, credentials, clock);
  const source = new ClusterSource({ api, file: read.settings, clock, random, log });
  return {
    source,
    origin,
    request: (...asked) => api.request(...asked),
    close: async () => {
      await source.close();
      await api.close();
    },
  };
}

/** Of the pod, or what kubectl uses; for an agent that reads nothing. */
export async function openServer(clock: Clock, env: Readonly<Record<string, string | undefined>> = process.env): Promise<OpenServer> {
  const { server, credentials } = await accessOf({ kubeconfig: null, context: null }, clock, env);
  await credentials.access();
  const api = new HttpApi(server, credentials, clock);
  return { request: (...asked) => api.request(...asked), close: () => api.close() };
}

function accessOf(
  { kubeconfig, context }: Pick<KubernetesSettings, 'kubeconfig' | 'context'>,
  clock: Clock,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ServerAccess> {
  if (kubeconfig === null && context === null && isInCluster(env)) return Promise.resolve(inClusterAccess({ clock, env }));
  const file = kubeconfig ?? env['KUBECONFIG']?.split(':')[0] ?? `${env['HOME'] ?? ''}/.kube/config`;
  return kubeconfigAccess(file, context, { clock, env });
}
