// The half of an agent that reads a cluster, in the process of the test, against a real API server.
import type { TestContext } from 'node:test';
import { ClusterSource } from '../../agent/cluster-source.ts';
import { HttpApi } from '../../agent/kubernetes/http-api.ts';
import { FixedCredentials, type Credentials } from '../../agent/kubernetes/credentials.ts';
import { parseAgentFile, type AgentFile } from '../../agent/settings.ts';
import { silentLog } from '../../balancer/log.ts';
import { systemClock } from '../../health/clock.ts';
import { ADMIN_TOKEN, type KubeApiServer } from './kube-api-server.ts';

export const SHOP_FILE = `gateways: [{ service: shop/web, port: http, addresses: pod }]
services: { shop: { service: shop/web, port: http, ratePerEndpoint: 50 } }`;

export function tokenCredentials(kube: KubeApiServer, token = ADMIN_TOKEN): Credentials {
  const tls = { ca: kube.authority.pem, cert: null, key: null, serverName: null, verify: true };
  return new FixedCredentials({ authorization: `Bearer ${token}`, tls });
}

export async function agentFile(text: string): Promise<AgentFile> {
  const read = await parseAgentFile(text);
  if (!read.ok) throw new Error(read.problems.join('\n'));
  return read.settings;
}

/** Reads until the test ends. */
export async function readCluster(
  t: Pick<TestContext, 'after'>,
  kube: KubeApiServer,
  {
    credentials = tokenCredentials(kube),
    file = SHOP_FILE,
    url = kube.url,
  }: { readonly credentials?: Credentials; readonly file?: string; readonly url?: string } = {},
): Promise<ClusterSource> {
  const api = new HttpApi(new URL(url), credentials, systemClock);
  const source = new ClusterSource({ api, file: await agentFile(file), clock: systemClock, random: Math.random, log: silentLog });
  t.after(async () => {
    await source.close();
    await api.close();
  });
  source.start();
  await source.view.settled(20_000);
  return source;
}
