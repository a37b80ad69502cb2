// What a program must offer to be measured beside the others: is it there, start it in front of the origin, which processes is it.

/** Whether this machine has the program; `missing` is the command that installs it. */
export type Availability = { readonly ok: true; readonly version: string } | { readonly ok: false; readonly missing: string };

export interface ContenderSetting {
  readonly originPort: number;
  /** Client connections that will be open at once. */
  readonly connections: number;
  /** An empty directory of its own for generated configuration and state; removed by the caller. */
  readonly directory: string;
}

export interface StartedContender {
  /** On 127.0.0.1; it answers already. */
  readonly port: number;
  /** Every process of the program, whatever its job: all of them cost the host. */
  pids(): readonly number[];
  /** Those of them that carry the requests. */
  dataPlanePids(): readonly number[];
  stop(): Promise<void>;
}

export interface Contender {
  /** As `--contenders` names it. */
  readonly name: string;
  /** One line: with what settings it runs. */
  readonly summary: string;
  available(): Promise<Availability>;
  start(setting: ContenderSetting): Promise<StartedContender>;
}
