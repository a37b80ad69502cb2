// The shape of a command of `weir`: data that the program turns into help, parsing and completion, and one function that runs it.
import type { ManifestSettings } from '../agent/deploy/manifest.ts';
import type { KubernetesSettings } from '../agent/open-cluster.ts';
import type { AgentSettings } from '../agent/run.ts';
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
  agentManifest(options: ManifestSettings): Promise<{ readonly objects: readonly object[]; readonly values: object }>;
  /** Reads a cluster once and tells what an agent there would report, with what each figure is made from. */
  explainAgent(options: KubernetesSettings): Promise<ExplainedAgent>;
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

/** What an agent is started with; of a lease the name, as who holds it is for the program to say. */
export type AgentOptions = Omit<AgentSettings, 'lease' | 'kubernetes'> & {
  readonly lease: Pick<NonNullable<AgentSettings['lease']>, 'namespace' | 'name'> | null;
  /** Null: it tells of its machine. */
  readonly kubernetes: KubernetesSettings | null;
};

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
