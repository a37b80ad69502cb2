// The processes of one demo cluster: its origin and its agent, each of which may be lost and brought back.
import { extname, join } from 'node:path';
import { startChild, type DemoChild } from './child.ts';
import type { Guard } from './guard.ts';
import type { DemoCluster } from './layout.ts';

/** `.ts` in a checkout, `.js` in a published package. */
const ORIGIN_PROGRAM = join(import.meta.dirname, `origin-process${extname(import.meta.filename)}`);

/** What an agent needs to report for its cluster. */
export interface AgentSetting {
  /** The `weir` command. */
  readonly program: string;
  /** Address of the agent hub. */
  readonly hub: string;
  readonly token: string;
}

export interface ClusterSetting {
  readonly cluster: DemoCluster;
  readonly originPort: number;
  /** Takes the logs. */
  readonly directory: string;
  readonly guard: Guard;
  /** Told when a process ended that nobody stopped. */
  readonly onLost: (child: DemoChild, how: string) => void;
}

export class ClusterProcesses {
  readonly cluster: DemoCluster;
  readonly #setting: ClusterSetting;
  #origin: DemoChild | null = null;
  #agent: DemoChild | null = null;
  #agentSetting: AgentSetting | null = null;
  #stopping = false;

  constructor(setting: ClusterSetting) {
    this.cluster = setting.cluster;
    this.#setting = setting;
  }

  get originPid(): number {
    return this.#origin?.pid ?? 0;
  }

  /** The processes that should run and do not. */
  lost(): readonly DemoChild[] {
    return [this.#origin, this.#agent].filter((child) => child !== null).filter((child) => !child.isRunning());
  }

  async startOrigin(): Promise<void> {
    const { cluster, originPort } = this.#setting;
    this.#origin = await this.#start(`origin of ${cluster.name}`, `origin-${cluster.name}.log`, {
      program: ORIGIN_PROGRAM,
      args: [cluster.name, String(originPort), String(cluster.latencyMs)],
    });
  }

  async startAgent(agent: AgentSetting): Promise<void> {
    const { cluster } = this.#setting;
    this.#agentSetting = agent;
    this.#agent = await this.#start(`agent of ${cluster.name}`, `agent-${cluster.name}.log`, {
      program: agent.program,
      args: ['agent', 'run', '--hub', agent.hub, '--cluster', cluster.name, '--capacity-rps', String(cluster.capacityRps)],
      env: { WEIR_AGENT_TOKEN: agent.token },
    });
  }

  /** Starts again what was lost; tells the names of what came back. */
  async bringBack(): Promise<readonly string[]> {
    if (this.#stopping) return [];
    const lost = this.lost();
    if (this.#origin?.isRunning() === false) await this.startOrigin();
    if (this.#agentSetting !== null && this.#agent?.isRunning() === false) await this.startAgent(this.#agentSetting);
    return lost.map((child) => child.name);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#agent?.stop();
    await this.#origin?.stop();
  }

  async #start(
    name: string,
    logName: string,
    program: { program: string; args: readonly string[]; env?: Readonly<Record<string, string>> },
  ): Promise<DemoChild> {
    const child = await startChild({ ...program, name, logFile: join(this.#setting.directory, logName), guard: this.#setting.guard });
    void child.ended.then((how) => {
      if (!this.#stopping) this.#setting.onLost(child, how);
    });
    return child;
  }
}
