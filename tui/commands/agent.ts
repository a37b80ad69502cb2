// weir agent: runs an agent in a cluster, or makes the token for one.
import { readFileSync } from 'node:fs';
import type { CommandCall, CommandDefinition, KubernetesOptions, OptionSpec } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { writeResult } from '../output.ts';
import { EXPIRES_OPTION, createToken } from './token.ts';

const TOKEN_VARIABLE = 'WEIR_AGENT_TOKEN';

const KUBERNETES_OPTIONS: readonly OptionSpec[] = [
  { flags: '--config <FILE>', summary: 'what counts in its Kubernetes cluster: gateways, services, rates (docs/kubernetes.md)' },
  { flags: '--kubeconfig <FILE>', summary: 'the API server (default: the service account of the pod, or what kubectl uses)' },
  { flags: '--context <NAME>', summary: 'of the kubeconfig (default: its current one)' },
];

const runCommand: CommandDefinition = {
  examples: [
    'weir agent run --hub wss://edge-1:7071 --cluster eu-west --token-file /etc/weir/agent.token',
    'WEIR_AGENT_TOKEN=… weir agent run --hub ws://127.0.0.1:7071 --cluster eu-west --capacity-rps 2000',
    'weir agent run --hub wss://edge-1:7071 --cluster eu-west --token-file agent.token --config agent.yaml',
  ],
  notes:
    'Connects out to the hub and reports the capacity of its cluster each period; reconnects with a growing delay. Ends on SIGTERM.\nThe token file is read before each connection, so it may be replaced at any time.',
  options: [
    { flags: '--hub <URL>', summary: 'wss://HOST:PORT of the edge host, or ws:// on loopback' },
    { flags: '--cluster <NAME>', summary: 'the cluster it reports for' },
    { flags: '--token-file <FILE>', summary: `a file with the token (else ${TOKEN_VARIABLE})` },
    { flags: '--capacity-rps <N>', summary: 'requests per second the cluster can take, if that is known' },
    { flags: '--period <DURATION>', summary: 'how often it reports (default 1s)' },
    { flags: '--ca <FILE>', summary: "PEM file of the authority of the hub's certificate" },
    ...KUBERNETES_OPTIONS,
  ],
  ownSignals: true,
  run: (call) => {
    const { values, programs } = call;
    return programs.agent({
      hub: hubUrl(required(call, 'hub', '--hub wss://HOST:7071')),
      cluster: required(call, 'cluster', '--cluster NAME'),
      token: tokenSource(call),
      capacityRps: values.number('capacityRps', { min: 0, max: 1_000_000_000 }),
      periodMs: values.durationMs('period'),
      caFile: values.text('ca'),
      kubernetes: kubernetesOf(call),
    });
  },
};

const tokenCommand: CommandDefinition = {
  examples: ['weir agent token eu-west > agent.token', 'weir agent token eu-west --name eu-west-2 --expires 365d'],
  notes: 'An agent token may report for its cluster and can do nothing else. It is printed once.',
  arguments: [{ name: 'CLUSTER', summary: 'the cluster it may report for' }],
  options: [{ flags: '--name <NAME>', summary: 'the name of the token (default agent-CLUSTER)' }, EXPIRES_OPTION],
  run: async (call) => {
    const cluster = call.values.argument(0);
    const name = call.values.text('name') ?? `agent-${cluster}`;
    return createToken(call, await call.connect(), { name, role: 'agent', cluster });
  },
};

const explainCommand: CommandDefinition = {
  examples: ['weir agent explain --config agent.yaml', 'weir agent explain --config agent.yaml --context eu-west -o json'],
  notes:
    'Reads the cluster once, as an agent with this file would, and tells each figure with what it is made from. Needs no hub and no token.',
  options: KUBERNETES_OPTIONS,
  run: async (call) => {
    required(call, 'config', '--config FILE');
    const explained = await call.programs.explainAgent(kubernetesOf(call) ?? { configFile: '', kubeconfig: null, context: null });
    if (!explained.ok) {
      for (const problem of explained.problems) call.terminal.message(problem);
      return EXIT.failed;
    }
    await writeResult(call, { kind: 'agent', revision: 0, items: [explained.summary] }, explained.text);
    return EXIT.ok;
  },
};

export const agentCommand: CommandDefinition = {
  examples: ['weir agent token eu-west > agent.token', 'weir agent run --hub wss://edge-1:7071 --cluster eu-west --token-file agent.token'],
  subcommands: [
    { name: 'run', summary: 'run the agent of a cluster', load: () => Promise.resolve(runCommand) },
    {
      name: 'explain',
      summary: 'tell what an agent finds in its cluster, and how its figures are made',
      load: () => Promise.resolve(explainCommand),
    },
    { name: 'token', summary: 'make the token of an agent', load: () => Promise.resolve(tokenCommand) },
  ],
};

function required({ values }: CommandCall, name: string, example: string): string {
  const value = values.text(name);
  if (value === null || value === '') throw new CommandFailure(EXIT.usage, `${example} is needed`);
  return value;
}

/** Null: the agent tells of its machine. */
function kubernetesOf({ values }: CommandCall): KubernetesOptions | null {
  const [configFile, kubeconfig, context] = [values.text('config'), values.text('kubeconfig'), values.text('context')];
  if (configFile === null) {
    if (kubeconfig === null && context === null) return null;
    throw new CommandFailure(EXIT.usage, '--config FILE is needed beside --kubeconfig and --context: it says which Services count');
  }
  return { configFile, kubeconfig, context };
}

function hubUrl(text: string): string {
  const url = /^wss?:\/\//.test(text) ? URL.parse(text) : null;
  if (url === null)
    throw new CommandFailure(EXIT.usage, `--hub: expected wss://HOST:PORT (ws:// on loopback), got ${JSON.stringify(text)}`);
  return text;
}

/** A token file is read before each connection, so that it can be rotated; read once here, so that a missing one is told at once. */
function tokenSource({ values, terminal }: CommandCall): string | (() => string) {
  const file = values.text('tokenFile');
  if (file !== null) {
    const read = (): string => readFileSync(file, 'utf8').trim();
    try {
      read();
    } catch (error) {
      throw new CommandFailure(EXIT.usage, `--token-file: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    return read;
  }
  const token = terminal.env[TOKEN_VARIABLE] ?? '';
  if (token !== '') return token;
  throw new CommandFailure(EXIT.usage, `a token is needed: --token-file FILE or ${TOKEN_VARIABLE}; \`weir agent token CLUSTER\` makes one`);
}
