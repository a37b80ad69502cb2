// weir get: lists of one kind, or one item of it.
import type { AdminClient, ListKind } from '../client.ts';
import * as columns from '../columns.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { writeList } from '../output.ts';
import type { Column } from '../table.ts';
import { WATCH_OPTION, watchList } from '../watching.ts';

/** Events and revisions that are listed unless `--limit` says otherwise. */
const DEFAULT_LIMIT = 50;

type Show = (call: CommandCall, client: AdminClient, name: string | null) => Promise<ExitCode>;

const KINDS: Readonly<Record<ListKind, Show>> = {
  clusters: shows('clusters', columns.CLUSTER_COLUMNS),
  services: shows('services', columns.SERVICE_COLUMNS),
  rollouts: shows('rollouts', columns.ROLLOUT_COLUMNS),
  drills: shows('drills', columns.DRILL_COLUMNS),
  local: shows('local', columns.LOCAL_COLUMNS),
  approvals: shows('approvals', columns.APPROVAL_COLUMNS),
  renewals: shows('renewals', columns.RENEWAL_COLUMNS),
  routes: shows('routes', columns.ROUTE_COLUMNS),
  cache: shows('cache', columns.CACHE_COLUMNS),
  edges: shows('edges', columns.EDGE_COLUMNS),
  consumers: shows('consumers', columns.CONSUMER_COLUMNS),
  quotas: shows('quotas', columns.QUOTA_COLUMNS),
  workers: shows('workers', columns.WORKER_COLUMNS),
  agents: shows('agents', columns.AGENT_COLUMNS),
  tokens: shows('tokens', columns.TOKEN_COLUMNS),
  revisions: shows('revisions', columns.REVISION_COLUMNS),
  events: shows('events', columns.EVENT_COLUMNS),
};

const KIND_NAMES = Object.keys(KINDS);

export const getCommand: CommandDefinition = {
  examples: [
    'weir get clusters',
    'weir get services shop -o wide',
    'weir get quotas acme',
    'weir get revisions --limit 10 -o json',
    'weir get clusters -w',
    'weir get services -o name',
  ],
  arguments: [
    { name: 'KIND', summary: 'what to list', choices: KIND_NAMES },
    { name: 'NAME', summary: 'only this one; the number of a revision', optional: true },
  ],
  options: [{ flags: '--limit <N>', summary: `how many revisions or events, newest first (default ${DEFAULT_LIMIT})` }, WATCH_OPTION],
  run: async (call) => {
    const kind = listKind(call.values.argument(0));
    const name = call.values.arguments[1] ?? null;
    if (kind === 'events' && name !== null)
      throw new CommandFailure(EXIT.usage, 'events have no names: leave NAME away, or use `weir events`');
    return KINDS[kind](call, await call.connect(), name);
  },
};

function shows<T>(kind: ListKind, of: readonly Column<T>[]): Show {
  return async (call, client, name) => {
    const limit = call.values.number('limit', { min: 1, max: 1000, integer: true });
    if (limit !== null && !isLimited(kind)) throw new CommandFailure(EXIT.usage, '--limit is for revisions and events');
    const options = name !== null ? { name } : isLimited(kind) ? { limit: limit ?? DEFAULT_LIMIT } : {};
    if (call.values.flag('watch')) return watchList(call, client, { read: (from) => from.list<T>(kind, options), columns: of });
    await writeList(call, await client.list<T>(kind, options), of);
    return EXIT.ok;
  };
}

function isLimited(kind: ListKind): boolean {
  return kind === 'events' || kind === 'revisions';
}

function listKind(text: string): ListKind {
  const kind = KIND_NAMES.find((name) => name === text);
  if (kind === undefined)
    throw new CommandFailure(EXIT.usage, `unknown kind ${JSON.stringify(text)}, expected one of ${KIND_NAMES.join(', ')}`);
  return kind as ListKind;
}
