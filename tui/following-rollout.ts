// A rollout as a command follows it: each step, each gate that changes its mind, until the end. Leaving changes nothing: the controller drives.
import type { RolloutView } from '../balancer/controller/api/views.ts';
import type { AdminClient } from './client.ts';
import type { CommandCall } from './command.ts';
import { CommandFailure, EXIT, type ExitCode } from './exit.ts';
import * as text from './format.ts';
import { isStructured, writeList } from './output.ts';
import { clearProgress, showProgress } from './progress.ts';
import { ROLLOUT_COLUMNS } from './columns.ts';

/** Until the rollout that runs now ends; 0 when it is promoted, 9 when it was rolled back, frozen or taken back. */
export async function followRollout(call: CommandCall, client: AdminClient, service: string): Promise<ExitCode> {
  const tell = telling(call);
  call.ifInterrupted(
    `the rollout goes on without this command; \`weir canary status ${service}\` shows it, \`weir canary abort ${service}\` ends it`,
  );
  let last: RolloutView | null = null;
  for await (const status of client.watch(call.signal)) {
    const [rollout] = status.services.some(({ name }) => name === service)
      ? (await client.list<RolloutView>('rollouts', { name: service })).items
      : [];
    if (rollout === undefined) throw new CommandFailure(EXIT.notFound, `there is no rollout of "${service}" any more`);
    clearProgress(call);
    tell(last, rollout);
    showProgress(call, partOf(rollout), waitsText(rollout));
    last = rollout;
    if (isOver(rollout)) return ended(call, client, rollout);
  }
  throw new CommandFailure(EXIT.unreachable, `${client.where} has gone away; the rollout goes on as soon as it is back`);
}

async function ended(call: CommandCall, client: AdminClient, { service, phase, to, note }: RolloutView): Promise<ExitCode> {
  call.ifInterrupted(null);
  clearProgress(call);
  if (isStructured(call.format)) await writeList(call, await client.list<RolloutView>('rollouts', { name: service }), ROLLOUT_COLUMNS);
  if (phase === 'promoted') return EXIT.ok;
  throw new CommandFailure(
    EXIT.gateFailed,
    `the rollout of ${service} to ${to} is ${phase.replace('_', ' ')}${note === '' ? '' : `: ${note}`}`,
  );
}

/** Steps that are passed, and how much of the present one. */
function partOf({ step, steps, heldSeconds, holdSeconds, waves, wave }: RolloutView): number {
  const all = steps.length * (waves?.length ?? 1);
  const held = holdSeconds === 0 ? 0 : Math.min(1, heldSeconds / holdSeconds);
  return (wave * steps.length + step + held) / all;
}

function waitsText({ step, steps, heldSeconds, holdSeconds, requests, minRequests, phase }: RolloutView): string {
  const at = `step ${step + 1} of ${steps.length}`;
  if (phase !== 'running') return `${at}, ${phase.replace('_', ' ')}`;
  if (heldSeconds < holdSeconds) return `${at}, next in ${text.countdown(holdSeconds - heldSeconds)}`;
  return requests < minRequests ? `${at}, ${requests} of ${minRequests} requests` : `${at}, gates are asked`;
}

function isOver({ phase }: RolloutView): boolean {
  return phase !== 'running' && phase !== 'paused';
}

/** Says what is new; nothing where a program reads. */
function telling({ terminal, format }: CommandCall): (before: RolloutView | null, now: RolloutView) => void {
  const said = new Map<string, string>();
  return (before, now) => {
    if (isStructured(format)) return;
    const moved = before?.wave !== now.wave || before.step !== now.step || before.phase !== now.phase || before.percent !== now.percent;
    if (moved) terminal.message(stepText(now));
    for (const { gate, verdict, says } of now.gates) {
      if (moved) said.delete(gate);
      if (said.get(gate) === verdict) continue;
      said.set(gate, verdict);
      if (verdict !== 'insufficient') terminal.message(`  ${gate}: ${verdict} (${says})`);
    }
  };
}

/** `shop: green 5 % (step 2 of 5), running`; `shop: green 5 % in eu-west (wave 1 of 2, step 2 of 5), running` */
export function stepText({ service, to, percent, step, steps, phase, note, waves, wave }: RolloutView): string {
  const why = note === '' ? '' : `: ${note}`;
  const [where, which] = waves === null ? ['', ''] : [` in ${(waves[wave] ?? []).join('+')}`, `wave ${wave + 1} of ${waves.length}, `];
  return `${service}: ${to} ${text.percent(percent)}${where} (${which}step ${step + 1} of ${steps.length}), ${phase.replace('_', ' ')}${why}`;
}
