// weir token: who may use the admin API over the network.
import type { RoleView, TokenRequest } from '../../balancer/controller/api/views.ts';
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

const createCommand: CommandDefinition = {
  examples: [
    'weir token create ci --role operate --expires 90d > ci.token',
    'weir token create alice-laptop --owner alice --role operate',
    'WEIR_TOKEN_FILE=ci.token weir --server https://edge-1:7070 status',
  ],
  notes:
    'The token is printed once, on stdout, and stored as a hash only. read may look, operate may change traffic, admin may do everything.',
  arguments: [{ name: 'NAME', summary: 'its name, as the audit shows it' }],
  options: [{ flags: '--role <ROLE>', summary: 'what it may do (default read)', choices: ROLES }, OWNER_OPTION, EXPIRES_OPTION],
  run: async (call) => {
    const role = ROLES.find((one) => one === call.values.text('role')) ?? 'read';
    const owner = call.values.text('owner');
    return createToken(call, await call.connect(), { name: call.values.argument(0), owner, role, cluster: null });
  },
};

const listCommand: CommandDefinition = {
  examples: ['weir token list'],
  run: async (call) => {
    const client = await call.connect();
    await writeList(call, await client.tokens(), TOKEN_COLUMNS);
    return EXIT.ok;
  },
};

const revokeCommand: CommandDefinition = {
  examples: ['weir token revoke ci'],
  notes: 'The next request with it is refused; an agent that has it is disconnected when it next connects.',
  arguments: [{ name: 'NAME', summary: 'its name' }],
  run: async (call) => {
    const client = await call.connect();
    const name = call.values.argument(0);
    await client.revokeToken(name);
    call.terminal.message(`token ${name} is revoked`);
    return EXIT.ok;
  },
};

export const tokenCommand: CommandDefinition = {
  examples: ['weir token create ci --role operate', 'weir token list', 'weir token revoke ci'],
  subcommands: [
    { name: 'create', summary: 'make a token and print it once', load: () => Promise.resolve(createCommand) },
    { name: 'list', summary: 'list the tokens', load: () => Promise.resolve(listCommand) },
    { name: 'revoke', summary: 'make a token invalid', load: () => Promise.resolve(revokeCommand) },
  ],
};

/** Makes a token and prints its secret as the data, so that it can go straight into a file. */
export async function createToken(call: CommandCall, client: AdminClient, request: TokenRequest): Promise<ExitCode> {
  const ttlMs = call.values.durationMs('expires');
  const created = await client.createToken(ttlMs === null ? request : { ...request, ttlMs });
  const { token, secret, ending } = created;
  await writeResult(call, { kind: 'tokens', revision: 0, items: [created] }, secret === null ? '' : `${secret}\n`);
  const until = token.expiresAt === null ? 'until it is revoked' : `until ${token.expiresAt}`;
  const shown = secret === null ? 'its secret stays where it was made' : 'it is not shown again';
  call.terminal.message(`token ${token.name}, role ${token.role}, valid ${until}; ${shown}`);
  for (const { name, expiresAt } of ending)
    call.terminal.message(`token ${name} is valid until ${expiresAt ?? ''}; give the agents the new one by then`);
  return EXIT.ok;
}
