// weir status: the appliance on one screen.
import type { StatusView } from '../../balancer/controller/api/views.ts';
import { CLUSTER_COLUMNS, SERVICE_COLUMNS } from '../columns.ts';
import type { AdminClient } from '../client.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { stepText } from '../following-rollout.ts';
import { countdown, running, time, traffic } from '../format.ts';
import { glideLines } from '../glide-text.ts';
import { isStructured, writeResult } from '../output.ts';
import { type Tone, colored, plain, table } from '../table.ts';
import { WATCH_OPTION } from '../watching.ts';

export const statusCommand: CommandDefinition = {
  examples: ['weir status', 'weir status --check && echo healthy', 'weir status -o json'],
  notes: 'The exit code is 0 when the status could be shown. With --check it is 1 when something is degraded.',
  options: [{ flags: '--check', summary: 'exit code 1 when something is degraded' }, WATCH_OPTION],
  run: async (call) => {
    const client = await call.connect();
    if (call.values.flag('watch')) return watchStatus(call, client);
    const status = await client.status();
    const list = { kind: 'status', revision: status.revision, items: [status] };
    const text = screen(status, { wide: call.format === 'wide', color: call.terminal.color });
    await writeResult(call, list, text);
    return call.values.flag('check') && status.degraded.length > 0 ? EXIT.failed : EXIT.ok;
  },
};

/** Each status a screen of its own; for programs one JSON object a line. */
async function watchStatus(call: CommandCall, client: AdminClient): Promise<ExitCode> {
  const look = { wide: call.format === 'wide', color: call.terminal.color };
  for await (const status of client.watch(call.signal)) {
    const list = { kind: 'status', revision: status.revision, items: [status] };
    await call.terminal.data(isStructured(call.format) ? `${JSON.stringify(list)}\n` : `${screen(status, look)}\n`);
  }
  if (call.signal.aborted) return EXIT.interrupted;
  throw new CommandFailure(EXIT.unreachable, `${client.where}: the appliance has ended the stream`);
}

/** That nothing new comes is told with the cluster. */
const DRAIN_WISH = 'drain';

interface Look {
  readonly wide: boolean;
  readonly color: boolean;
}

function screen(status: StatusView, { wide, color }: Look): string {
  const shown = <T extends { readonly wide?: boolean }>(columns: readonly T[]): readonly T[] =>
    columns.filter((column) => wide || column.wide !== true);
  const blocks = [
    heading(status, color),
    table(status.clusters, shown(CLUSTER_COLUMNS), color),
    table(status.services, shown(SERVICE_COLUMNS), color),
  ];
  return blocks.filter((block) => block !== '').join('\n');
}

function heading(status: StatusView, color: boolean): string {
  const tinted = (text: string, tone: Tone): string => (color ? colored(text, tone) : text);
  const numbers = `revision ${status.revision}  generation ${status.generation}  plan ${status.plan}`;
  const lines = [
    `${status.host}  weir ${status.version}  ${numbers}  workers ${status.workersReady}/${status.workers} ready  ${status.inFlight} in flight`,
    `traffic: ${traffic(status.traffic)}`,
    ...(status.degraded.length === 0
      ? [`state: ${tinted('ok', 'good')}`]
      : status.degraded.map((line) => `${tinted('degraded', 'bad')}: ${plain(line)}`)),
  ];
  lines.push(...status.warnings.map((line) => `${tinted('warning', 'warning')}: ${plain(line)}`));
  lines.push(`one cluster can be lost: ${plain(status.headroom)}`);
  lines.push(...status.rollouts.map((rollout) => `rollout of ${plain(stepText(rollout))}`));
  const glides = [...status.services, ...status.clusters].flatMap((one) => one.glides);
  lines.push(...glideLines(glides).map((line) => `on its way: ${plain(line)}`));
  for (const { revision, remainingSeconds, fields } of status.timed) {
    const what = fields.map(({ field, held, before }) => `${field} ${held} → ${before}`).join(', ');
    lines.push(`returns by itself in ${countdown(remainingSeconds)}: ${plain(what)} (revision ${revision})`);
  }
  for (const { id, summary, by, remainingSeconds } of status.approvals)
    lines.push(
      `waits for a second person for ${countdown(remainingSeconds)}: ${plain(summary)}, asked for by ${plain(by)} (weir approve ${plain(id)})`,
    );
  for (const cluster of status.clusters) {
    if (cluster.empty === null) continue;
    lines.push(
      `${plain(cluster.name)} is ${cluster.admin === 'drain' ? 'drained' : 'in maintenance'}: ${cluster.empty ? 'empty' : running(cluster)}`,
    );
  }
  for (const { name, agent } of status.clusters)
    for (const { id, text, state, endsInSeconds } of agent.wishes ?? [])
      if (id !== DRAIN_WISH)
        lines.push(`the agent of ${plain(name)} was told: ${plain(text)}; ${state}, for ${countdown(endsInSeconds ?? 0)} yet`);
  const last = status.lastRevision;
  if (last !== null) lines.push(`last change: revision ${last.revision} by ${plain(last.author)} at ${time(last.at)}: ${plain(last.text)}`);
  return `${lines.join('\n')}\n`;
}
