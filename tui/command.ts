// The shape of a command of `weir`: data that the program turns into help, parsing and completion, and one function that runs it.
import type { AdminClient } from './client.ts';
import type { ExitCode } from './exit.ts';
import type { Terminal } from './terminal.ts';
import type { CommandValues } from './values.ts';

/** `jsonl`: an item a line; `name`: the names alone, one a line. */
export type OutputFormat = 'table' | 'wide' | 'json' | 'jsonl' | 'yaml' | 'name';

export interface ArgumentSpec {
  /** As shown in the help, upper case: `SERVICE`. */
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  /** Takes all that follows; the last argument only. */
  readonly variadic?: boolean;
  /** The only values that are accepted. */
  readonly choices?: readonly string[];
}

export interface OptionSpec {
  /** `-f, --follow` for a flag, `--to <REVISION>` for a value, `--clusters <CLUSTER=PERCENT...>` for several. */
  readonly flags: string;
  readonly summary: string;
  readonly choices?: readonly string[];
}

/** How the parts of weir that are not the terminal are started; `weir.ts` alone loads them. */
export interface Programs {
  /** Runs an edge host until it is stopped. */
  serve(options: { readonly configFile: string }): Promise<ExitCode>;
  /** Checks a config file; problems are lines `file:line:column: …`. */
  check(file: string): Promise<ConfigCheck>;
  /** Plays a scenario file through. */
  simulate(file: string): Promise<Simulated>;
  /** Makes the decisions of a log again; `config`: and what this one would have made of them. */
  replay(file: string, config: string | null): Promise<Replayed>;
  /** The JSON Schema of the config file. */
  configSchema(): Promise<unknown>;
  /** A key for a consumer. Null: the file with the pepper cannot be read, or is empty. */
  makeKey(consumer: string, pepperFile: string | null): Promise<MadeKey | null>;
  /** What of a password may stand in a file. */
  hashPassword(password: string): Promise<string>;
  /** Runs an agent until it is stopped. */
  agent(options: AgentOptions): Promise<ExitCode>;
  /** What deploys an agent: objects for the API server, or values for the chart. */
  agentManifest(options: ManifestOptions): Promise<{ readonly objects: readonly object[]; readonly values: object }>;
  /** Reads a cluster once and tells what an agent there would report, with what each figure is made from. */
  explainAgent(options: KubernetesOptions): Promise<ExplainedAgent>;
}

export type ConfigCheck = { readonly ok: true; readonly summary: string } | { readonly ok: false; readonly problems: readonly string[] };

export type Simulated =
  { readonly ok: true; readonly summary: unknown; readonly text: string } | { readonly ok: false; readonly problems: readonly string[] };

export type Replayed =
  | { readonly ok: true; readonly summary: unknown; readonly mismatches: number; readonly text: string }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface MadeKey {
  /** Shown once. */
  readonly key: string;
  readonly id: string;
  readonly hash: string;
}

export interface AgentOptions {
  readonly hubs: readonly string[];
  readonly cluster: string;
  /** The secret, or what reads it anew before each connection; null: the certificate says who it is. */
  readonly token: string | (() => string) | null;
  readonly certificate: { readonly certFile: string; readonly keyFile: string } | null;
  /** PEM file of the authority that signed the hubs' certificates. */
  readonly caFile: string | null;
  readonly allowPlain: boolean;
  readonly capacityRps: number | null;
  readonly periodMs: number | null;
  readonly lease: { readonly namespace: string; readonly name: string } | null;
  readonly prescale: readonly PrescaleOption[];
  readonly health: { readonly host: string; readonly port: number } | null;
  /** Null: it tells of its machine. */
  readonly kubernetes: KubernetesOptions | null;
}

/** An autoscaler whose minimum an agent may raise. */
export interface PrescaleOption {
  readonly service: string;
  readonly namespace: string;
  readonly name: string;
  readonly rpsPerReplica: number;
  /** Null: as its autoscaler says. */
  readonly most: number | null;
}

/** What is to be deployed in a cluster. */
export interface ManifestOptions {
  readonly cluster: string;
  readonly hubs: readonly string[];
  readonly namespace: string;
  readonly image: string;
  readonly replicas: number;
  /** Of Secrets that an operator makes; one of them at least. */
  readonly tokenSecret: string | null;
  readonly certificateSecret: string | null;
  /** PEM text. */
  readonly ca: string | null;
  /** The agent's file, as text. */
  readonly config: string | null;
  readonly prescale: readonly PrescaleOption[];
}

/** How an agent reads a cluster. */
export interface KubernetesOptions {
  /** Says what counts in the cluster. */
  readonly configFile: string;
  /** Null: the service account of the pod, or what kubectl uses. */
  readonly kubeconfig: string | null;
  readonly context: string | null;
}

export type ExplainedAgent =
  { readonly ok: true; readonly text: string; readonly summary: unknown } | { readonly ok: false; readonly problems: readonly string[] };

/** Everything a command gets. */
export interface CommandCall {
  readonly values: CommandValues;
  readonly terminal: Terminal;
  readonly format: OutputFormat;
  /** Finds the appliance (see server.ts) and checks nothing yet: the first request tells whether it is there. */
  readonly connect: () => Promise<AdminClient>;
  readonly programs: Programs;
  /** Aborted when the program is about to end for SIGINT or SIGTERM (never, if the command says `ownSignals`). */
  readonly signal: AbortSignal;
  /** What is said if the program is interrupted from here on: which state that leaves. Null: nothing to say. */
  readonly ifInterrupted: (note: string | null) => void;
}

export interface CommandDefinition {
  /** Shown first in the help; each is a whole command line. */
  readonly examples: readonly string[];
  /** More than the one-line summary; shown after the options. */
  readonly notes?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  readonly subcommands?: readonly CommandEntry[];
  /** The command installs its own handlers for SIGINT and SIGTERM (it runs long and has something to leave in order). */
  readonly ownSignals?: boolean;
  /** Absent: the command is only a group of subcommands. A failure is thrown as CommandFailure. */
  readonly run?: (call: CommandCall) => Promise<ExitCode>;
}

/** A line of the registry: enough for `weir --help`, so that no command is loaded before it is asked for. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Not in the help: called by programs. */
  readonly hidden?: boolean;
  readonly load: () => Promise<CommandDefinition>;
}

export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly CommandEntry[];
}
