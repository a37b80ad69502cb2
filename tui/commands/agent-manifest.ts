// weir agent manifest: prints what deploys an agent in its cluster, for `kubectl apply -f -` or as values for the Helm chart.
import { readFileSync } from 'node:fs';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { writeYamlDocuments } from '../output.ts';
import { prescaleTarget } from './agent.ts';

const NAMESPACE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export const agentManifestCommand: CommandDefinition = {
  examples: [
    'weir agent manifest eu-west --hub wss://edges.example:7071 --image registry.example/weir-agent:0.1.0 --ca edge-ca.crt | kubectl apply -f -',
    'weir agent manifest eu-west --hub wss://edges.example:7071 --image registry.example/weir-agent:0.1.0 --values > values.yaml',
  ],
  notes: [
    'It names Secrets and holds none: make them first.',
    '  weir agent token eu-west > token && kubectl -n weir create secret generic weir-agent-token --from-file=token',
    'The roles in it are exactly what the agent asks the API server for; one to change autoscalers is there with --prescale only.',
    'No appliance is needed for it.',
  ].join('\n'),
  arguments: [{ name: 'CLUSTER', summary: 'the cluster it is for, as the config of the edge names it' }],
  options: [
    { flags: '--hub <URL...>', summary: 'wss://HOST:PORT of every edge host; a name with several addresses is all of them' },
    { flags: '--image <IMAGE>', summary: 'the image of the agent (agent/deploy/Containerfile)' },
    { flags: '--namespace <NAME>', summary: 'where it is deployed (default weir)' },
    { flags: '--replicas <N>', summary: 'agents, of which one speaks (default 2)' },
    { flags: '--token-secret <NAME>', summary: 'Secret with its token under the key `token` (default weir-agent-token)' },
    { flags: '--certificate-secret <NAME>', summary: 'Secret of type kubernetes.io/tls it proves itself with, in place of a token' },
    { flags: '--ca <FILE>', summary: "PEM file of the authority of the hubs' certificates; no other is believed then" },
    { flags: '--agent-config <FILE>', summary: "the agent's own file: gateway, services, rates" },
    { flags: '--prescale <SERVICE=NAMESPACE/AUTOSCALER:RPS[:MOST]...>', summary: 'autoscalers whose minimum it may raise' },
    { flags: '--values', summary: 'print values for the Helm chart in agent/deploy/chart instead' },
  ],
  run: async (call) => {
    const { values, programs, terminal } = call;
    const hubs = values.texts('hub') ?? usage('--hub wss://HOST:7071 is needed: where the agent reports');
    for (const hub of hubs)
      if (!/^wss?:\/\/[^/]/.test(hub) || !URL.canParse(hub)) usage(`--hub: expected wss://HOST:PORT, got ${JSON.stringify(hub)}`);
    const namespace = values.text('namespace') ?? 'weir';
    if (!NAMESPACE.test(namespace)) usage(`--namespace: expected letters, digits and "-" such as weir, got ${JSON.stringify(namespace)}`);
    const certificateSecret = values.text('certificateSecret');
    const made = await programs.agentManifest({
      ...{ cluster: values.argument(0), hubs, namespace, certificateSecret },
      image: values.text('image') ?? usage('--image REGISTRY/NAME:TAG is needed; agent/deploy/Containerfile makes one'),
      replicas: values.number('replicas', { min: 1, max: 100, integer: true }) ?? 2,
      tokenSecret: values.text('tokenSecret') ?? (certificateSecret === null ? 'weir-agent-token' : null),
      ca: textOf(call, 'ca', '--ca'),
      config: textOf(call, 'agentConfig', '--agent-config'),
      prescale: (values.texts('prescale') ?? []).map(prescaleTarget),
    });
    await writeYamlDocuments(call, values.flag('values') ? [made.values] : made.objects);
    if (hubs.some((hub) => hub.startsWith('ws://')))
      terminal.message('to a hub with ws:// the token travels in the clear; wss:// needs agents.tls at the edge');
    return EXIT.ok;
  },
};

function textOf({ values }: CommandCall, name: string, flag: string): string | null {
  const file = values.text(name);
  if (file === null) return null;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailure(EXIT.usage, `${flag}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function usage(message: string): never {
  throw new CommandFailure(EXIT.usage, message);
}
