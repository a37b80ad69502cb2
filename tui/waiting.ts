// Waiting for a condition: ends when it is met, when it cannot be met, and when the time is over.
import type { RolloutView, StatusView, WorkerView } from '../balancer/controller/api/views.ts';
import type { AdminClient } from './client.ts';
import type { CommandCall } from './command.ts';
import { type Condition, type Sight, type Verdict, parseCondition } from './conditions.ts';
import { CommandFailure, EXIT, type ExitCode } from './exit.ts';
import { isStructured, writeResult } from './output.ts';

export const WAIT_TIMEOUT_MS = 300_000;
/** Between attempts to reach an appliance that is starting or restarting. */
const RETRY_MS = 200;

export interface WaitFor {
  readonly condition: string;
  readonly timeoutMs: number;
  /** What holds instead is told whoever reads it: on a terminal in one line that changes, elsewhere a line for each change. */
  readonly live?: boolean;
}

interface Waited {
  readonly verdict: Verdict | null;
  readonly revision: number;
  /** Why there is no status, when there is none. */
  readonly unreachable: CommandFailure | null;
}

/** Watches until the condition is met (0), names something unknown (5), or the time is over (8, or 3 if nothing answered). */
export async function waitFor(call: CommandCall, client: AdminClient, { condition, timeoutMs, live = false }: WaitFor): Promise<ExitCode> {
  const judge = parseCondition(condition);
  const { clock } = call.terminal;
  const beganMs = clock.nowMs();
  const over = new AbortController();
  const timer = clock.after(timeoutMs, () => over.abort());
  call.ifInterrupted(`no longer waiting for ${condition}; nothing was changed by waiting`);
  const signal = AbortSignal.any([over.signal, call.signal]);
  const waited = await watchUntil(call, { client, judge, asksRollouts: condition.startsWith('rollout:'), live, signal });
  timer.cancel();
  if (live) call.terminal.progress('');
  const met = waited.verdict?.state === 'met';
  const tookMs = Math.round(clock.nowMs() - beganMs);
  if (waited.verdict !== null) {
    const text = met ? `${condition} after ${(tookMs / 1000).toFixed(1)} s\n` : '';
    await writeResult(call, { kind: 'wait', revision: waited.revision, items: [{ condition, met, tookMs }] }, text);
  }
  return exitOf(waited, `not within ${(timeoutMs / 1000).toString()} s: ${condition}`);
}

function exitOf({ verdict, unreachable }: Waited, late: string): ExitCode {
  if (verdict === null) throw unreachable ?? new CommandFailure(EXIT.timedOut, late);
  switch (verdict.state) {
    case 'met':
      return EXIT.ok;
    case 'impossible':
      throw new CommandFailure(EXIT.notFound, verdict.message);
    case 'failed':
      throw new CommandFailure(EXIT.gateFailed, verdict.message);
    case 'pending':
      throw new CommandFailure(EXIT.timedOut, `${late}; now: ${unreachable === null ? verdict.now : firstLine(unreachable)}`);
  }
}

interface Watching {
  readonly client: AdminClient;
  readonly judge: Condition;
  readonly asksRollouts: boolean;
  readonly live: boolean;
  readonly signal: AbortSignal;
}

/** Follows statuses over restarts of the appliance. */
async function watchUntil(call: CommandCall, watching: Watching): Promise<Waited> {
  const { client, judge, live, signal } = watching;
  let waited: Waited = { verdict: null, revision: 0, unreachable: null };
  let told = '';
  while (!signal.aborted) {
    try {
      for await (const status of client.watch(signal)) {
        const verdict = judge({ status, ...(await lookedUp(watching, status)) });
        waited = { verdict, revision: status.revision, unreachable: null };
        if (verdict.state !== 'pending') return waited;
        told = tell(call, { now: verdict.now, told, live });
      }
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.exitCode !== EXIT.unreachable) throw error;
      waited = { ...waited, unreachable: error };
      told = tell(call, { now: firstLine(error), told, live });
    }
    await pause(call, RETRY_MS);
  }
  return waited;
}

interface Told {
  readonly now: string;
  /** What was told last. */
  readonly told: string;
  readonly live: boolean;
}

/** On a terminal whoever waits sees what for; each state once. */
function tell({ terminal, format }: CommandCall, { now, told, live }: Told): string {
  if (now === told || isStructured(format)) return now;
  if (live && terminal.interactive) terminal.progress(`waiting: ${now}`);
  else if (live || terminal.interactive) terminal.message(`waiting: ${now}`);
  return now;
}

/** Rollouts that are at their end are in no status. */
async function lookedUp({ client, asksRollouts }: Watching, status: StatusView): Promise<Omit<Sight, 'status'>> {
  const workers = status.workers === 0 ? [] : (await client.list<WorkerView>('workers')).items;
  const rollouts = asksRollouts ? (await client.list<RolloutView>('rollouts')).items : [];
  return { workers, rollouts };
}

/** What is wrong, without the advice on what to do about it: whoever waits has started the appliance already. */
function firstLine({ message }: CommandFailure): string {
  return message.split('\n')[0] ?? message;
}

function pause({ terminal }: CommandCall, delayMs: number): Promise<void> {
  return new Promise((resolve) => void terminal.clock.after(delayMs, resolve));
}
