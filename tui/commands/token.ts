// weir token: who may use the admin API over the network.
import type { MadeToken, RevokedToken, RoleView, TokenRequest, TokenView } from '../../balancer/controller/api/views.ts';
import type { AdminClient } from '../client.ts';
import { TOKEN_COLUMNS } from '../columns.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { writeList, writeResult } from '../output.ts';

const ROLES: readonly RoleView[] = ['read', 'operate', 'admin'];

export const EXPIRES_OPTION = {
  flags: '--expires <DURATION>',
  summary: 'how long it is valid, such as 12h or 90d (default: until it is revoked)',
};

const OWNER_OPTION = {
  flags: '--owner <PERSON>',
  summary: 'who holds it, as the audit names them (default: a person by the name of the token)',
};

export const LOCAL_OPTION = {
  flags: '--local',
  summary: 'of this host alone: also while it is cut off from its fleet',
};

const createCommand: CommandDefinition = {
  examples: [
    'weir token create ci --role operate --expires 90d > ci.token',
    'weir token create alice-laptop --owner alice --role operate',
    'WEIR_TOKEN_FILE=ci.token weir --server https://edge-1:7070 status',
  ],
  notes: [
    'The token is printed once, on stdout, and stored as a hash only. read may look, operate may change traffic, admin may do everything.',
    'In a fleet it is good on every host, as soon as that host follows: those that do not yet are named, and the exit code is 8.',
  ].join('\n'),
  arguments: [{ name: 'NAME', summary: 'its name, as the audit shows it' }],
  options: [
    { flags: '--role <ROLE>', summary: 'what it may do (default read)', choices: ROLES },
    OWNER_OPTION,
    EXPIRES_OPTION,
    LOCAL_OPTION,
  ],
  run: async (call) => {
    const role = ROLES.find((one) => one === call.values.text('role')) ?? 'read';
    const owner = call.values.text('owner');
    return createToken(call, await call.connect(), { name: call.values.argument(0), owner, role, cluster: null });
  },
};

const listCommand: CommandDefinition = {
  examples: ['weir token list'],
  notes: 'Those of the fleet are on all hosts; this host tells of its own beside them, and when each was used here last.',
  run: async (call) => {
    const client = await call.connect();
    await writeList(call, await client.list<TokenView>('tokens'), TOKEN_COLUMNS);
    return EXIT.ok;
  },
};

const revokeCommand: CommandDefinition = {
  examples: ['weir token revoke ci', 'weir token revoke ci --local'],
  notes: [
    'The next request with it is refused, on every host of the fleet; an agent that has it is disconnected within a second. It does not come back.',
    'A host that does not follow the fleet now is named, and the exit code is 8: the token is good there until it follows, or is told with --local.',
  ].join('\n'),
  arguments: [{ name: 'NAME', summary: 'its name' }],
  options: [LOCAL_OPTION],
  run: async (call) => {
    const client = await call.connect();
    const name = call.values.argument(0);
    const revoked = await client.revokeToken(name, call.values.flag('local'));
    const where = revoked.elsewhere ? ` on this host alone; all others take it until the fleet can be told: weir token revoke ${name}` : '';
    call.terminal.message(`token ${name} is revoked${where}`);
    return laggardsOf(call, revoked, 'it is good there yet');
  },
};

const shareCommand: CommandDefinition = {
  examples: ['weir token share ci'],
  notes:
    'Tokens that a host had before it was one of a fleet are its own, until they are shared. Whoever holds one keeps it; the secret is not needed. Copies that other hosts have of it are those of the fleet then.',
  arguments: [{ name: 'NAME', summary: 'a token of this host alone' }],
  run: async (call) => {
    const client = await call.connect();
    return writeMade(call, await client.shareToken(call.values.argument(0)));
  },
};

export const tokenCommand: CommandDefinition = {
  examples: ['weir token create ci --role operate', 'weir token list', 'weir token revoke ci'],
  subcommands: [
    { name: 'create', summary: 'make a token and print it once', load: () => Promise.resolve(createCommand) },
    { name: 'list', summary: 'list the tokens', load: () => Promise.resolve(listCommand) },
    { name: 'revoke', summary: 'make a token invalid', load: () => Promise.resolve(revokeCommand) },
    { name: 'share', summary: 'make a token of this host one of its fleet', load: () => Promise.resolve(shareCommand) },
  ],
};

/** Makes a token and prints its secret as the data, so that it can go straight into a file. */
export async function createToken(call: CommandCall, client: AdminClient, request: TokenRequest): Promise<ExitCode> {
  const ttlMs = call.values.durationMs('expires');
  const local = call.values.flag('local') ? { local: true } : {};
  return writeMade(call, await client.createToken({ ...request, ...local, ...(ttlMs === null ? {} : { ttlMs }) }));
}

async function writeMade(call: CommandCall, made: MadeToken): Promise<ExitCode> {
  const { token, secret, ending, fleet } = made;
  await writeResult(call, { kind: 'tokens', revision: 0, items: [made] }, secret === null ? '' : `${secret}\n`);
  const until = token.expiresAt === null ? 'until it is revoked' : `until ${token.expiresAt}`;
  const shown = secret === null ? 'its secret stays where it was made' : 'it is not shown again';
  const where = fleet === null ? '' : ` on ${fleet.acknowledged}/${fleet.hosts} hosts`;
  call.terminal.message(`token ${token.name}, role ${token.role}, valid ${until}${where}; ${shown}`);
  for (const { name, expiresAt } of ending)
    call.terminal.message(`token ${name} is valid until ${expiresAt ?? ''}; give the agents the new one by then`);
  return laggardsOf(call, made, 'it is not good there yet');
}

/** The change is made and durable; a host that does not know of it yet makes the exit code that of a time-out. */
function laggardsOf({ terminal }: CommandCall, { fleet }: Pick<RevokedToken, 'fleet'>, meaning: string): ExitCode {
  if (fleet === null || fleet.laggards.length === 0) return EXIT.ok;
  terminal.message(`weir: not known yet to ${fleet.laggards.join(', ')}: ${meaning}; weir get edges`);
  return EXIT.timedOut;
}
