// weir events: what happened, newest last, and what happens.
import type { EventView } from '../../balancer/controller/api/views.ts';
import { EVENT_COLUMNS } from '../columns.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { time } from '../format.ts';
import { isStructured, writeList } from '../output.ts';
import { plain } from '../table.ts';

const DEFAULT_LIMIT = 20;

export const eventsCommand: CommandDefinition = {
  examples: ['weir events', 'weir events -f', 'weir events -f -o json | jq .text'],
  notes: 'With -f each event is a line; with -o json a JSON object a line.',
  options: [
    { flags: '-f, --follow', summary: 'show events as they happen, until interrupted' },
    { flags: '--limit <N>', summary: `how many of the past (default ${DEFAULT_LIMIT})` },
  ],
  run: async (call) => {
    const limit = call.values.number('limit', { min: 0, max: 1000, integer: true }) ?? DEFAULT_LIMIT;
    if (call.values.flag('follow')) return follow(call, limit);
    const client = await call.connect();
    const list = await client.list<EventView>('events', { limit: Math.max(limit, 1) });
    // The newest last, as in every log; the API answers newest first.
    await writeList(call, { ...list, items: list.items.slice(0, limit).toReversed() }, EVENT_COLUMNS);
    return EXIT.ok;
  },
};

async function follow(call: CommandCall, backlog: number): Promise<ExitCode> {
  const client = await call.connect();
  let last = 0;
  for await (const event of client.followEvents(call.signal, backlog)) {
    const missed = last === 0 ? 0 : event.sequence - last - 1;
    if (missed > 0) call.terminal.message(`weir: ${missed} events were left out: this reader is too slow`);
    last = event.sequence;
    await call.terminal.data(isStructured(call.format) ? `${JSON.stringify(event)}\n` : line(event));
  }
  if (call.signal.aborted) return EXIT.interrupted;
  throw new CommandFailure(EXIT.unreachable, `${client.where}: the appliance has ended the stream`);
}

function line({ at, kind, text }: EventView): string {
  return `${time(at)}  ${kind.padEnd(10)}  ${plain(text)}\n`;
}
