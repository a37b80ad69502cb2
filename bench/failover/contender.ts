// What a program must offer to be put before two clusters of which one is lost.
import type { Availability } from '../contender.ts';

/** `ADDRESS:PORT` of each endpoint. */
export interface Clusters {
  readonly lost: readonly string[];
  readonly kept: readonly string[];
}

export interface LossSetting {
  readonly clusters: Clusters;
  /** An empty directory of its own; removed by the caller. */
  readonly directory: string;
}

export interface Started {
  /** On 127.0.0.1; it answers already. */
  readonly port: number;
  stop(): Promise<void>;
}

export interface LossContender {
  readonly name: string;
  /** One line: with what settings it runs. */
  readonly summary: string;
  available(): Promise<Availability>;
  start(setting: LossSetting): Promise<Started>;
}

/** Every origin answers it at once whatever its mode, as a check of health that knows nothing of the application. */
export const HEALTH_PATH = '/healthz';
