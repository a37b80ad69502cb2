// weir consumer: those who call, in the file or in the store. Credentials are made here: the store and the file get hashes, the caller the rest, once.
import type { ConsumerView } from '../../balancer/controller/api/views.ts';
import { CHANGE_OPTIONS, changeRequest, laggardsOf, makeChange, outcomeOf } from '../change.ts';
import { CONSUMER_COLUMNS, KEY_COLUMNS } from '../columns.ts';
import type { CommandCall, CommandDefinition, OptionSpec } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { writeList, writeResult } from '../output.ts';

const keyCommand: CommandDefinition = {
  examples: ['weir consumer key acme > acme.key', 'weir consumer key acme --pepper-file /etc/weir/pepper'],
  notes:
    'The key is printed once, on stdout; what belongs into the file, under consumers.NAME.keys, on stderr. Nothing is stored.\n' +
    'A consumer may have two keys at a time: add the new one, let the caller change, take the old one out.',
  arguments: [{ name: 'NAME', summary: 'the consumer; the part of the key that may be seen begins with it' }],
  options: [{ flags: '--pepper-file <FILE>', summary: 'the pepper of the config (credentials.pepper); default: none' }],
  run: async (call) => {
    const made = await call.programs.makeKey(call.values.argument(0), call.values.text('pepper-file'));
    if (made === null)
      throw new CommandFailure(EXIT.usage, '--pepper-file cannot be read, or is empty; expected the file of credentials.pepper');
    await writeResult(call, { kind: 'key', revision: 0, items: [made] }, `${made.key}\n`);
    call.terminal.message(`consumers.${call.values.argument(0)}.keys:\n  - { id: ${made.id}, hash: "${made.hash}" }`);
    return EXIT.ok;
  },
};

const passwordCommand: CommandDefinition = {
  examples: ['weir consumer password anna < anna.password'],
  notes:
    'The password is the first line of stdin, so that it stands in no history of commands. The hash goes into the file, under consumers.NAME.passwords.',
  arguments: [{ name: 'USER', summary: 'the user name' }],
  run: async (call) => {
    const password = (await call.terminal.ask(call.terminal.interactive ? 'password: ' : '')) ?? '';
    if (password === '') throw new CommandFailure(EXIT.usage, 'no password came on stdin; expected it as the first line');
    const hash = await call.programs.hashPassword(password);
    const user = call.values.argument(0);
    await writeResult(
      call,
      { kind: 'password', revision: 0, items: [{ user, hash }] },
      `- { user: ${JSON.stringify(user)}, hash: "${hash}" }\n`,
    );
    return EXIT.ok;
  },
};

const WORD_OPTIONS: readonly OptionSpec[] = [
  { flags: '--group <NAME...>', summary: 'the groups it is in' },
  { flags: '--scope <SCOPE...>', summary: 'the scopes that all its credentials give' },
  { flags: '--tag <NAME...>', summary: 'words that conditions may ask for' },
  { flags: '--plan <NAME>', summary: 'its plan, of plans in the config' },
];

const NAME = { name: 'NAME', summary: 'the consumer' } as const;

const addCommand: CommandDefinition = {
  examples: [
    'weir consumer add acme --group partners --plan gold --reason "contract 4711"',
    'weir consumer credential issue acme > acme.key',
  ],
  notes:
    'It is stored, and known to all workers of all hosts when the command returns, without another config. A consumer that the config declares is changed there. `weir undo` takes it back.',
  arguments: [NAME],
  options: [...WORD_OPTIONS, ...CHANGE_OPTIONS],
  run: async (call) => {
    const { values } = call;
    const words = (name: string): readonly string[] => values.texts(name) ?? [];
    const profile = { groups: words('group'), scopes: words('scope'), tags: words('tag'), plan: values.text('plan') ?? '' };
    return makeChange(call, await call.connect(), { kind: 'consumer_add', consumer: values.argument(0), profile });
  },
};

const setCommand: CommandDefinition = {
  examples: ['weir consumer set acme --plan silver', 'weir consumer set acme --group partners beta'],
  notes: 'What is named is as it says from then on, the rest stays. An empty text takes it away: --plan "".',
  arguments: [NAME],
  options: [...WORD_OPTIONS, ...CHANGE_OPTIONS],
  run: async (call) => {
    const { values } = call;
    const words = (name: string): readonly string[] | undefined => values.texts(name)?.filter((text) => text !== '');
    const [groups, scopes, tags, plan] = [words('group'), words('scope'), words('tag'), values.text('plan')];
    const profile = {
      ...(groups === undefined ? {} : { groups }),
      ...(scopes === undefined ? {} : { scopes }),
      ...(tags === undefined ? {} : { tags }),
      ...(plan === null ? {} : { plan }),
    };
    if (Object.keys(profile).length === 0)
      throw new CommandFailure(EXIT.usage, 'nothing is named; say what is to be set by --group, --scope, --tag or --plan');
    return makeChange(call, await call.connect(), { kind: 'consumer_set', consumer: values.argument(0), profile });
  },
};

const removeCommand: CommandDefinition = {
  examples: ['weir consumer remove acme --reason "contract ended"'],
  notes: 'With all its keys, on all hosts when the command returns. It does not come back by `weir undo`: add it and issue new keys.',
  arguments: [NAME],
  options: CHANGE_OPTIONS,
  run: async (call) => makeChange(call, await call.connect(), { kind: 'consumer_remove', consumer: call.values.argument(0) }),
};

const listCommand: CommandDefinition = {
  examples: ['weir consumer list', 'weir consumer list -o wide'],
  notes:
    'The same as `weir get consumers`: those of the config and those of the store, with the keys that hold and when this host saw each last.',
  run: async (call) => {
    const client = await call.connect();
    await writeList(call, await client.list<ConsumerView>('consumers'), CONSUMER_COLUMNS);
    return EXIT.ok;
  },
};

const issueCommand: CommandDefinition = {
  examples: [
    'weir consumer credential issue acme > acme.key',
    'weir consumer credential issue acme --expires 90d --from 203.0.113.0/24 --others-expire 24h > acme.key',
  ],
  notes:
    'The key is made here, and printed once, on stdout, when its hash is stored; the key itself is never sent. A consumer has at most two keys that hold: issue the new one, let the caller change, ' +
    'revoke the old one, or let it end by --others-expire.',
  arguments: [NAME],
  options: [
    { flags: '--expires <DURATION>', summary: 'how long it holds, such as 90d (default: until it is revoked)' },
    { flags: '--from <BLOCK...>', summary: 'where it may be used (default: anywhere)' },
    { flags: '--scope <SCOPE...>', summary: 'scopes that it gives besides those of the consumer' },
    { flags: '--others-expire <DURATION>', summary: 'when the keys it has by now end (default: they stay)' },
    ...CHANGE_OPTIONS,
  ],
  run: issueKey,
};

async function issueKey(call: CommandCall): Promise<ExitCode> {
  const { values, programs, terminal } = call;
  const consumer = values.argument(0);
  const made = await programs.makeKey(consumer, null);
  if (made === null) throw new CommandFailure(EXIT.failed, 'no key could be made');
  const nowMs = Date.now();
  const after = (name: string): string | null => {
    const forMs = values.durationMs(name);
    return forMs === null ? null : new Date(nowMs + forMs).toISOString();
  };
  const change = {
    ...({ kind: 'key_issue', consumer, id: made.id, hash: made.hash.slice(made.hash.indexOf(':') + 1) } as const),
    ...{ expiresAt: after('expires'), othersExpireAt: after('othersExpire') },
    ...{ from: values.texts('from') ?? [], scopes: values.texts('scope') ?? [] },
  };
  const request = changeRequest(values, change);
  const client = await call.connect();
  if (request.dryRun === true) return makeChange(call, client, change);
  const result = await client.change(request);
  await writeResult(
    call,
    { kind: 'keys', revision: result.revision, items: [{ id: made.id, key: made.key, expiresAt: change.expiresAt }] },
    `${made.key}\n`,
  );
  for (const line of outcomeOf(result)) terminal.message(line);
  terminal.message(`${made.id} is not shown again`);
  return laggardsOf(call, result);
}

const revokeCommand: CommandDefinition = {
  examples: ['weir consumer credential revoke acme acme_7f3a9c01be22 --reason "found in a repository"'],
  notes: 'No worker of any host takes it when the command returns. It does not come back by `weir undo`.',
  arguments: [NAME, { name: 'ID', summary: 'the part of the key before its dot' }],
  options: CHANGE_OPTIONS,
  run: async (call) =>
    makeChange(call, await call.connect(), { kind: 'key_revoke', consumer: call.values.argument(0), id: call.values.argument(1) }),
};

const keysCommand: CommandDefinition = {
  examples: ['weir consumer credential list acme'],
  arguments: [NAME],
  run: async (call) => {
    const client = await call.connect();
    const { revision, items } = await client.list<ConsumerView>('consumers', { name: call.values.argument(0) });
    await writeList(call, { kind: 'keys', revision, items: items.flatMap(({ keys }) => keys) }, KEY_COLUMNS);
    return EXIT.ok;
  },
};

const credentialCommand: CommandDefinition = {
  examples: [
    'weir consumer credential issue acme > acme.key',
    'weir consumer credential list acme',
    'weir consumer credential revoke acme acme_7f3a9c01be22',
  ],
  subcommands: [
    { name: 'issue', summary: 'make a key, print it once and store its hash', load: () => Promise.resolve(issueCommand) },
    { name: 'list', summary: 'list its keys, with when each was used last', load: () => Promise.resolve(keysCommand) },
    { name: 'revoke', summary: 'make a key invalid on all hosts', load: () => Promise.resolve(revokeCommand) },
  ],
};

export const consumerCommand: CommandDefinition = {
  examples: ['weir consumer add acme --group partners', 'weir consumer credential issue acme > acme.key', 'weir consumer list'],
  subcommands: [
    { name: 'add', summary: 'let somebody call, without another config', load: () => Promise.resolve(addCommand) },
    { name: 'set', summary: 'change groups, scopes, tags or plan of one', load: () => Promise.resolve(setCommand) },
    { name: 'remove', summary: 'take one out of the store, with its keys', load: () => Promise.resolve(removeCommand) },
    { name: 'list', summary: 'list consumers, with when each was seen last', load: () => Promise.resolve(listCommand) },
    { name: 'credential', summary: 'issue, list and revoke keys of one', load: () => Promise.resolve(credentialCommand) },
    { name: 'key', summary: 'make a key for the config and print it once', load: () => Promise.resolve(keyCommand) },
    { name: 'password', summary: 'make the hash of a password for the config', load: () => Promise.resolve(passwordCommand) },
  ],
};
