// What deploys an agent in a cluster, as objects for the API server. The Helm chart beside this file renders the same; a test compares them.
import { weirVersion } from '../../balancer/version.ts';
import type { PrescaleTarget } from '../kubernetes/prescale.ts';
import { rolesOf } from './roles.ts';

export interface ManifestSettings {
  readonly cluster: string;
  readonly hubs: readonly string[];
  readonly namespace: string;
  readonly image: string;
  readonly replicas: number;
  /** Secret with the token under the key `token`; null: the agent has none. */
  readonly tokenSecret: string | null;
  /** Secret of type kubernetes.io/tls that the agent proves itself with; null: the agent has none. */
  readonly certificateSecret: string | null;
  /** PEM text of the authority of the hubs; null: the system's authorities. */
  readonly ca: string | null;
  /** The agent's file, as text; null: none. */
  readonly config: string | null;
  readonly prescale: readonly PrescaleTarget[];
}

export type KubernetesObject = Readonly<Record<string, unknown>>;

/** Of everything the agent brings along. */
export const AGENT_NAME = 'weir-agent';
const HEALTH_PORT = 8081;
/** Nobody's, and not root's. */
const USER = 65_532;
const LABELS = { 'app.kubernetes.io/name': AGENT_NAME, 'app.kubernetes.io/component': 'agent', 'app.kubernetes.io/part-of': 'weir' };
const SELECTOR = { 'app.kubernetes.io/name': AGENT_NAME };
/** Where a hub listens that names no port. */
const HUB_PORT = { 'wss:': 443, 'ws:': 80 } as const;

/** In an order in which they can be applied. */
export function manifestOf(settings: ManifestSettings): readonly KubernetesObject[] {
  const { namespace } = settings;
  // Who may run what here is checked by the API server itself: nothing that is more than the agent needs.
  const restricted = { ...LABELS, 'pod-security.kubernetes.io/enforce': 'restricted' };
  return [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: restricted } }, ...objectsOf(settings)];
}

/** All but the namespace, which Helm makes by itself. */
export function objectsOf(settings: ManifestSettings): readonly KubernetesObject[] {
  const { namespace, prescale } = settings;
  const metadata = { name: AGENT_NAME, namespace, labels: LABELS };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    ...rolesOf({ name: AGENT_NAME, namespace, labels: LABELS, prescale }),
    ...configMaps(settings),
    deploymentOf(settings),
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata,
      spec: { maxUnavailable: 1, selector: { matchLabels: SELECTOR } },
    },
    networkPolicyOf(settings),
  ];
}

/** The same settings as values of the chart. */
export function valuesOf(settings: ManifestSettings): object {
  const { cluster, hubs, replicas, tokenSecret, certificateSecret, ca, config, prescale, image } = settings;
  return {
    ...{
      cluster,
      hubs,
      hubPorts: portsOf(hubs),
      replicas,
      image,
      tokenSecret: tokenSecret ?? '',
      certificateSecret: certificateSecret ?? '',
    },
    ...{ ca: ca ?? '', config: config ?? '' },
    prescale: prescale.map(({ service, namespace, name, rpsPerReplica, most }) => ({
      ...{ service, namespace, autoscaler: name, rpsPerReplica },
      ...(most === null ? {} : { most }),
    })),
  };
}

function configMaps({ namespace, ca, config }: ManifestSettings): readonly KubernetesObject[] {
  const data = { ...(config === null ? {} : { 'agent.yaml': config }), ...(ca === null ? {} : { 'ca.crt': ca }) };
  if (ca === null && config === null) return [];
  return [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: AGENT_NAME, namespace, labels: LABELS }, data }];
}

function argumentsOf({
  cluster,
  hubs,
  namespace,
  tokenSecret,
  certificateSecret,
  ca,
  config,
  prescale,
}: ManifestSettings): readonly string[] {
  return [
    ...['agent', 'run', '--cluster', cluster],
    ...hubs.flatMap((hub) => ['--hub', hub, ...(isPlain(hub) ? ['--allow-plain'] : [])]),
    ...(tokenSecret === null ? [] : ['--token-file', '/etc/weir/token/token']),
    ...(certificateSecret === null ? [] : ['--cert', '/etc/weir/certificate/tls.crt', '--key', '/etc/weir/certificate/tls.key']),
    ...(ca === null ? [] : ['--ca', '/etc/weir/agent/ca.crt']),
    ...(config === null ? [] : ['--config', '/etc/weir/agent/agent.yaml']),
    ...['--lease', `${namespace}/${AGENT_NAME}`, '--health', `0.0.0.0:${HEALTH_PORT}`],
    ...prescale.flatMap(({ service, namespace: home, name, rpsPerReplica, most }) => [
      ...['--prescale', `${service}=${home}/${name}:${rpsPerReplica}${most === null ? '' : `:${most}`}`],
    ]),
  ];
}

function deploymentOf(settings: ManifestSettings): KubernetesObject {
  const { namespace, replicas } = settings;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: AGENT_NAME, namespace, labels: LABELS },
    spec: {
      replicas,
      selector: { matchLabels: SELECTOR },
      // A new one is ready before an old one goes; of those that wait one takes the lease as soon as it is given back.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: { metadata: { labels: { ...LABELS, 'app.kubernetes.io/version': weirVersion() } }, spec: podOf(settings) },
    },
  };
}

function podOf(settings: ManifestSettings): object {
  const volumes = volumesOf(settings);
  return {
    serviceAccountName: AGENT_NAME,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 15,
    securityContext: { runAsNonRoot: true, runAsUser: USER, runAsGroup: USER, fsGroup: USER, seccompProfile: { type: 'RuntimeDefault' } },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: SELECTOR },
      },
    ],
    containers: [
      {
        name: 'agent',
        image: settings.image,
        args: argumentsOf(settings),
        ports: [{ name: 'health', containerPort: HEALTH_PORT }],
        startupProbe: { httpGet: { path: '/livez', port: 'health' }, periodSeconds: 2, failureThreshold: 30 },
        livenessProbe: { httpGet: { path: '/livez', port: 'health' }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
        readinessProbe: { httpGet: { path: '/readyz', port: 'health' }, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3 },
        resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        ...(volumes.length === 0 ? {} : { volumeMounts: volumes.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })) }),
      },
    ],
    ...(volumes.length === 0 ? {} : { volumes: volumes.map(({ name, source }) => ({ name, ...source })) }),
  };
}

interface Volume {
  readonly name: string;
  readonly mountPath: string;
  readonly source: object;
}

/** Files that only the agent's group can read. */
const MODE = 0o440;

function volumesOf({ tokenSecret, certificateSecret, ca, config }: ManifestSettings): readonly Volume[] {
  const secret = (name: string, secretName: string): Volume => ({
    name,
    mountPath: `/etc/weir/${name}`,
    source: { secret: { secretName, defaultMode: MODE } },
  });
  return [
    ...(tokenSecret === null ? [] : [secret('token', tokenSecret)]),
    ...(certificateSecret === null ? [] : [secret('certificate', certificateSecret)]),
    ...(ca === null && config === null
      ? []
      : [{ name: 'agent', mountPath: '/etc/weir/agent', source: { configMap: { name: AGENT_NAME } } }]),
  ];
}

/** Out to names, the API server and the hubs; in from nowhere but the node, whose probes no policy stops. */
function networkPolicyOf({ namespace, hubs }: ManifestSettings): KubernetesObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: AGENT_NAME, namespace, labels: LABELS },
    spec: {
      podSelector: { matchLabels: SELECTOR },
      policyTypes: ['Ingress', 'Egress'],
      egress: [
        { ports: [53, 53].map((port, index) => ({ protocol: index === 0 ? 'UDP' : 'TCP', port })) },
        // The API server: 443 is its Service, 6443 where that leads in most clusters; its addresses are known to no selector.
        { ports: [443, 6443].map((port) => ({ protocol: 'TCP', port })) },
        { ports: portsOf(hubs).map((port) => ({ protocol: 'TCP', port })) },
      ],
    },
  };
}

/** Of the hubs, each once, in order. */
export function portsOf(hubs: readonly string[]): readonly number[] {
  const ports = hubs.map((hub) => {
    const url = new URL(hub);
    return url.port === '' ? HUB_PORT[isPlain(hub) ? 'ws:' : 'wss:'] : Number(url.port);
  });
  return [...new Set(ports)].sort((a, b) => a - b);
}

function isPlain(hub: string): boolean {
  return hub.startsWith('ws://');
}
