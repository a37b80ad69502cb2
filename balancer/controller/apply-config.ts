// A config that comes through the admin API: over the file of a host that is alone, to all hosts of a fleet.
import type { Config } from '../config/config.ts';
import { filePartsOf } from '../config/file-parts.ts';
import type { Caller, ConfigApplyResult, Outcome } from './appliance.ts';
import type { Approved } from './approval/gate.ts';
import { takeConfig, type TakeOptions } from './config-taker.ts';
import type { Edge } from './edge.ts';

/** For the other hosts to build a generation and to serve it. */
const FLEET_DEADLINE_MS = 5000;

export interface ConfigAsked {
  readonly text: string;
  readonly dryRun: boolean;
  readonly caller: Caller;
  /** Null: nobody has approved it yet. */
  readonly approved: Approved | null;
}

/** Has to run alone (`Edge.changes`). */
export async function applyConfig(edge: Edge, asked: ConfigAsked, onTaken: (config: Config) => void): Promise<Outcome<ConfigApplyResult>> {
  const { clock, source } = edge.options;
  const { text, dryRun, caller, approved } = asked;
  const options: TakeOptions = { author: caller.author, dryRun, onTaken, asked: { text, caller, approved } };
  if (edge.served.shared !== null) return applyToFleet(edge, text, options);
  const applied = source.appliedOver(text, new Date(clock.wallMs()).toISOString());
  if (applied === null) {
    const message =
      'the config file of this host is not there or cannot be read, and what is applied over it has to be told from it; put it back first (`weir config print` prints what is in service)';
    return { ok: false, problem: { code: 'unsafe', message } };
  }
  const read = source.parse(text, applied);
  return read.ok ? takeConfig(edge, read.value, options) : notApplied(read.problems);
}

/** Only what all hosts share is taken from the text: what a host is of its own stays in its own file. */
async function applyToFleet(edge: Edge, text: string, options: TakeOptions): Promise<Outcome<ConfigApplyResult>> {
  const parts = filePartsOf(text);
  if (parts === null) return notApplied(['expected a file with its keys at the beginnings of lines, such as "clusters:"']);
  const read = edge.options.source.withFleet(parts.fleet);
  if (!read.ok) return notApplied(read.problems);
  const outcome = await takeConfig(edge, read.value, options);
  if (!outcome.ok || options.dryRun || !outcome.value.changed) return outcome;
  const fleet = await edge.fleet.served(outcome.value.revision, FLEET_DEADLINE_MS);
  return { ok: true, value: { ...outcome.value, fleet } };
}

function notApplied(problems: readonly string[]): Outcome<never> {
  const message = `the config has ${problems.length} problem${problems.length === 1 ? '' : 's'}; the one before stays in service`;
  return { ok: false, problem: { code: 'usage', message, problems } };
}
