// weir events: what happened, newest last, and what happens.
import type { EventView } from '../../balancer/controller/api/views.ts';
import { EVENT_COLUMNS } from '../columns.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { time } from '../format.ts';
import { isStructured, writeList } from '../output.ts';
import { plain } from '../table.ts';

const DEFAULT_LIMIT = 20;
/** As many as an appliance keeps. */
const MOST_KEPT = 1000;
const SEVERITIES = ['info', 'warning', 'critical'] as const;

export const eventsCommand: CommandDefinition = {
  examples: [
    'weir events',
    'weir events -f',
    'weir events -f --severity warning',
    'weir events --code health agent',
    'weir events -f -o json | jq .text',
  ],
  notes: 'With -f each event is a line; with -o json a JSON object a line.',
  options: [
    { flags: '-f, --follow', summary: 'show events as they happen, until interrupted' },
    { flags: '--code <CODE...>', summary: 'only these, whole or up to the dot: health, fleet.away (docs/events.md lists them)' },
    { flags: '--severity <LEAST>', summary: 'only so grave ones, or graver', choices: [...SEVERITIES] },
    { flags: '--limit <N>', summary: `how many of the past (default ${DEFAULT_LIMIT})` },
  ],
  run: async (call) => {
    const limit = call.values.number('limit', { min: 0, max: 1000, integer: true }) ?? DEFAULT_LIMIT;
    const wanted = wantedBy(call);
    if (call.values.flag('follow')) return follow(call, limit, wanted);
    const client = await call.connect();
    // Of those that are chosen so many, however far back they are.
    const chooses = call.values.texts('code') !== null || call.values.text('severity') !== null;
    const list = await client.list<EventView>('events', { limit: chooses ? MOST_KEPT : Math.max(limit, 1) });
    const items = list.items.filter(wanted).slice(0, limit);
    // The newest last, as in every log; the API answers newest first.
    await writeList(call, { ...list, items: items.toReversed() }, EVENT_COLUMNS);
    return EXIT.ok;
  },
};

async function follow(call: CommandCall, backlog: number, wanted: (event: EventView) => boolean): Promise<ExitCode> {
  const client = await call.connect();
  let last = 0;
  for await (const event of client.followEvents(call.signal, backlog)) {
    const missed = last === 0 ? 0 : event.sequence - last - 1;
    if (missed > 0) call.terminal.message(`weir: ${missed} events were left out: this reader is too slow`);
    last = event.sequence;
    if (!wanted(event)) continue;
    await call.terminal.data(isStructured(call.format) ? `${JSON.stringify(event)}\n` : line(event));
  }
  if (call.signal.aborted) return EXIT.interrupted;
  throw new CommandFailure(EXIT.unreachable, `${client.where}: the appliance has ended the stream`);
}

function wantedBy({ values }: CommandCall): (event: EventView) => boolean {
  const codes = values.texts('code');
  const least = SEVERITIES.findIndex((one) => one === values.text('severity'));
  return ({ code, severity }) =>
    (codes === null || codes.some((one) => code === one || code.startsWith(`${one}.`))) && SEVERITIES.indexOf(severity) >= least;
}

function line({ at, kind, text }: EventView): string {
  return `${time(at)}  ${kind.padEnd(10)}  ${plain(text)}\n`;
}
