// weir agent: runs an agent in a cluster, makes its token and what deploys it, and tells it what will come.
import { readFileSync } from 'node:fs';
import type { AgentOptions, CommandCall, CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { parseNumber } from '../values.ts';
import { agentExpectCommand } from './agent-expect.ts';
import { agentExplainCommand, KUBERNETES_OPTIONS, kubernetesOf } from './agent-explain.ts';
import { agentManifestCommand } from './agent-manifest.ts';
import { agentTokenCommand } from './agent-token.ts';

const TOKEN_VARIABLE = 'WEIR_AGENT_TOKEN';

const runCommand: CommandDefinition = {
  examples: [
    'weir agent run --hub wss://edge-1:7071 --cluster eu-west --token-file /etc/weir/agent.token',
    'weir agent run --hub wss://edge-1:7071 wss://edge-2:7071 --cluster eu-west --cert agent.crt --key agent.key --ca edge-ca.crt',
    'WEIR_AGENT_TOKEN=… weir agent run --hub ws://127.0.0.1:7071 --cluster eu-west --capacity-rps 2000',
    'weir agent run --hub wss://edge-1:7071 --cluster eu-west --token-file agent.token --config agent.yaml',
  ],
  notes: [
    'Connects out to each hub and reports the capacity of its cluster each period; reconnects with a growing delay. Ends on SIGTERM.',
    'Of a host name with several addresses each is a hub; names are looked up again every 30 s.',
    'Files of the token and the certificate are read before each connection, so they may be replaced at any time.',
  ].join('\n'),
  options: [
    { flags: '--hub <URL...>', summary: 'wss://HOST:PORT of every edge host, or ws:// on loopback' },
    { flags: '--cluster <NAME>', summary: 'the cluster it reports for' },
    { flags: '--token-file <FILE>', summary: `a file with the token (else ${TOKEN_VARIABLE})` },
    { flags: '--cert <FILE>', summary: 'PEM file of the certificate it proves itself with, in place of a token' },
    { flags: '--key <FILE>', summary: 'PEM file of its private key' },
    { flags: '--ca <FILE>', summary: "PEM file of the authority of the hubs' certificates; no other is believed then" },
    { flags: '--allow-plain', summary: 'let the token travel in the clear to other machines (ws://)' },
    { flags: '--capacity-rps <N>', summary: 'requests per second the cluster can take, if that is known' },
    { flags: '--period <DURATION>', summary: 'how often it reports (default 1s)' },
    ...KUBERNETES_OPTIONS,
    { flags: '--lease <NAMESPACE/NAME>', summary: 'of several agents of the cluster, the holder of this Lease speaks' },
    {
      flags: '--prescale <SERVICE=NAMESPACE/AUTOSCALER:RPS[:MOST]...>',
      summary: 'autoscalers whose minimum it may raise when the edge expects traffic: RPS is what one replica takes',
    },
    { flags: '--health <ADDRESS:PORT>', summary: 'where it answers probes: /livez and /readyz' },
  ],
  ownSignals: true,
  run: (call) => call.programs.agent(agentOptions(call)),
};

export const agentCommand: CommandDefinition = {
  examples: ['weir agent token eu-west > agent.token', 'weir agent run --hub wss://edge-1:7071 --cluster eu-west --token-file agent.token'],
  subcommands: [
    { name: 'run', summary: 'run the agent of a cluster', load: () => Promise.resolve(runCommand) },
    {
      name: 'explain',
      summary: 'tell what an agent finds in its cluster, and how its figures are made',
      load: () => Promise.resolve(agentExplainCommand),
    },
    { name: 'token', summary: 'make the token of an agent', load: () => Promise.resolve(agentTokenCommand) },
    { name: 'manifest', summary: 'print what deploys it in a cluster', load: () => Promise.resolve(agentManifestCommand) },
    { name: 'expect', summary: 'tell it what traffic will come', load: () => Promise.resolve(agentExpectCommand) },
  ],
};

function agentOptions(call: CommandCall): AgentOptions {
  const { values } = call;
  const certificate = certificateOf(call);
  return {
    hubs: (values.texts('hub') ?? missing('--hub wss://HOST:7071')).map(hubUrl),
    cluster: values.text('cluster') ?? missing('--cluster NAME'),
    token: tokenSource(call, certificate !== null),
    certificate,
    caFile: values.text('ca'),
    allowPlain: values.flag('allowPlain'),
    capacityRps: values.number('capacityRps', { min: 0, max: 1_000_000_000 }),
    periodMs: values.durationMs('period'),
    lease: leaseOf(values.text('lease')),
    prescale: (values.texts('prescale') ?? []).map(prescaleTarget),
    health: addressOf(values.text('health')),
    kubernetes: kubernetesOf(call),
  };
}

function missing(example: string): never {
  throw new CommandFailure(EXIT.usage, `${example} is needed`);
}

function hubUrl(text: string): string {
  const url = /^wss?:\/\//.test(text) ? URL.parse(text) : null;
  if (url === null)
    throw new CommandFailure(EXIT.usage, `--hub: expected wss://HOST:PORT (ws:// on loopback), got ${JSON.stringify(text)}`);
  return text;
}

function certificateOf({ values }: CommandCall): AgentOptions['certificate'] {
  const [certFile, keyFile] = [values.text('cert'), values.text('key')];
  if (certFile === null && keyFile === null) return null;
  if (certFile === null || keyFile === null) throw new CommandFailure(EXIT.usage, '--cert and --key go together; expected both or neither');
  return { certFile, keyFile };
}

/** A token file is read before each connection, so that it can be rotated; read once here, so that a missing one is told at once. */
function tokenSource({ values, terminal }: CommandCall, hasCertificate: boolean): string | (() => string) | null {
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
  if (hasCertificate) return null;
  const ways = `--token-file FILE or ${TOKEN_VARIABLE}; \`weir agent token CLUSTER\` makes one`;
  throw new CommandFailure(EXIT.usage, `a token is needed: ${ways}; or a certificate: --cert FILE --key FILE`);
}

/** Names of objects in Kubernetes (RFC 1123 subdomains). */
const OBJECT = '[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?';
const LEASE = new RegExp(`^(${OBJECT})/(${OBJECT})$`);
const PRESCALE = new RegExp(`^([A-Za-z0-9._-]+)=(${OBJECT})/(${OBJECT}):(\\d+(?:\\.\\d+)?)(?::(\\d+))?$`);

function leaseOf(text: string | null): { readonly namespace: string; readonly name: string } | null {
  if (text === null) return null;
  const [, namespace, name] = LEASE.exec(text) ?? [];
  if (namespace === undefined || name === undefined)
    throw new CommandFailure(EXIT.usage, `--lease: expected NAMESPACE/NAME such as weir/weir-agent, got ${JSON.stringify(text)}`);
  return { namespace, name };
}

/** One autoscaler as the command line names it. */
export function prescaleTarget(text: string): AgentOptions['prescale'][number] {
  const [, service, namespace, name, rps, most] = PRESCALE.exec(text) ?? [];
  if (service === undefined || namespace === undefined || name === undefined || rps === undefined)
    throw new CommandFailure(
      EXIT.usage,
      `--prescale: expected SERVICE=NAMESPACE/AUTOSCALER:RPS, such as shop=shop/web:50 where a replica takes 50 requests/s, got ${JSON.stringify(text)}`,
    );
  const rpsPerReplica = parseNumber(rps, '--prescale', { min: 0.001, max: 1e9 });
  const bound = most === undefined ? null : parseNumber(most, '--prescale', { min: 1, max: 1_000_000, integer: true });
  return { service, namespace, name, rpsPerReplica, most: bound };
}

function addressOf(text: string | null): { readonly host: string; readonly port: number } | null {
  if (text === null) return null;
  const [, host, port] = /^(?:\[([0-9a-f:]+)\]|[^:]+):(\d{1,5})$/i.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535)
    throw new CommandFailure(EXIT.usage, `--health: expected ADDRESS:PORT such as 0.0.0.0:8081, got ${JSON.stringify(text)}`);
  return { host: host ?? text.slice(0, text.lastIndexOf(':')), port: Number(port) };
}
