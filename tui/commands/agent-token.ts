// weir agent token: makes the token of an agent, lets a new one take over from it, or makes another host's token known here.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { createToken, EXPIRES_OPTION, LOCAL_OPTION } from './token.ts';

const KEEP_MS = 24 * 3_600_000;
/** As the appliance makes them: `weir_NAME_SECRET`. */
const TOKEN = /^weir_([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)_[A-Za-z0-9_-]{43}$/;

export const agentTokenCommand: CommandDefinition = {
  examples: [
    'weir agent token eu-west > agent.token',
    'weir agent token eu-west --rotate > agent.token',
    'weir --server https://edge-2:7070 agent token eu-west --same-as agent.token',
  ],
  notes: [
    'An agent token may report for its cluster and can do nothing else. It is printed once, and stored as a hash. In a fleet it is good on every host.',
    'Two are valid for a cluster at a time at most: --rotate makes the new one, and the old one ends by itself.',
    'An agent that reports to several edge hosts has one token. Hosts that are no fleet are told of it with --same-as.',
  ].join('\n'),
  arguments: [{ name: 'CLUSTER', summary: 'the cluster it may report for' }],
  options: [
    { flags: '--name <NAME>', summary: 'the name of the token (default agent-CLUSTER)' },
    { flags: '--rotate', summary: 'take over from the token that the cluster has' },
    { flags: '--keep <DURATION>', summary: 'with --rotate: how long the old one is valid yet (default 24h)' },
    { flags: '--same-as <FILE>', summary: 'make the token in this file, made by another host, known to this one' },
    LOCAL_OPTION,
    EXPIRES_OPTION,
  ],
  run: async (call) => {
    const { values } = call;
    const cluster = values.argument(0);
    const file = values.text('sameAs');
    if (file !== null) return makeKnown(call, cluster, file);
    const name = values.text('name') ?? `agent-${cluster}`;
    const keepMs = values.durationMs('keep');
    if (keepMs !== null && !values.flag('rotate'))
      throw new CommandFailure(EXIT.usage, '--keep is for --rotate; add it, or leave --keep out');
    const rotate = values.flag('rotate') ? { rotate: { keepMs: keepMs ?? KEEP_MS } } : {};
    return createToken(call, await call.connect(), { name, role: 'agent', cluster, ...rotate });
  },
};

/** The secret itself stays here: the host gets its hash, which is all that it stores. */
async function makeKnown(call: CommandCall, cluster: string, file: string): Promise<ExitCode> {
  const { values } = call;
  if (values.flag('rotate') || values.text('name') !== null)
    throw new CommandFailure(EXIT.usage, '--same-as takes the token as it is; expected neither --rotate nor --name');
  let secret: string;
  try {
    secret = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CommandFailure(EXIT.usage, `--same-as: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const name = TOKEN.exec(secret)?.[1];
  if (name === undefined)
    throw new CommandFailure(EXIT.usage, `--same-as: ${file} holds no token, expected what \`weir agent token ${cluster}\` printed`);
  const secretHash = createHash('sha256').update(secret, 'utf8').digest('hex');
  return createToken(call, await call.connect(), { name, role: 'agent', cluster, secretHash });
}
