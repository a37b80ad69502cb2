// From the settings of an agent to a view of its cluster, or what is wrong with them.
import type { Log } from '../balancer/log.ts';
import type { Clock, Random } from '../health/clock.ts';
import { ClusterSource } from './cluster-source.ts';
import { HttpApi } from './kubernetes/http-api.ts';
import { inClusterAccess, isInCluster, kubeconfigAccess, type ServerAccess } from './kubernetes/kubeconfig.ts';
import { readAgentFile } from './settings.ts';

export interface KubernetesSettings {
  /** The file that says what counts in the cluster. */
  readonly configFile: string;
  /** Null: the service account of the pod; outside of one the file that KUBECONFIG names, or `~/.kube/config`. */
  readonly kubeconfig: string | null;
  readonly context: string | null;
}

export interface OpenCluster {
  readonly source: ClusterSource;
  /** For people. */
  readonly origin: string;
  close(): Promise<void>;
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
    close: async () => {
      await source.close();
      await api.close();
    },
  };
}

function accessOf(
  { kubeconfig, context }: KubernetesSettings,
  clock: Clock,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ServerAccess> {
  if (kubeconfig === null && context === null && isInCluster(env)) return Promise.resolve(inClusterAccess({ clock, env }));
  const file = kubeconfig ?? env['KUBECONFIG']?.split(':')[0] ?? `${env['HOME'] ?? ''}/.kube/config`;
  return kubeconfigAccess(file, context, { clock, env });
}
