// weir debug: what somebody who helps from afar needs, without secrets.
import { writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { weirVersion } from '../../balancer/version.ts';
import type { AdminClient } from '../client.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { examine } from '../doctor.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { redactJson, redactText, redactYaml } from '../redact.ts';
import { type ArchivedText, tarGz } from '../tar.ts';

const EVENTS = 1000;
const REVISIONS = 100;

/** Each part by its file; one that cannot be had leaves a file that says why. */
const PARTS: Readonly<Record<string, (client: AdminClient) => Promise<unknown>>> = {
  'status.json': (client) => client.status(),
  'workers.json': (client) => client.list('workers'),
  'edges.json': (client) => client.list('edges'),
  'agents.json': (client) => client.list('agents'),
  'routes.json': (client) => client.list('routes'),
  'rollouts.json': (client) => client.list('rollouts'),
  'drills.json': (client) => client.list('drills'),
  'local.json': (client) => client.list('local'),
  'approvals.json': (client) => client.list('approvals'),
  'events.json': (client) => client.list('events', { limit: EVENTS }),
  'revisions.json': (client) => client.list('revisions', { limit: REVISIONS }),
  'audit.json': (client) => client.verifyAudit(),
};

const bundleCommand: CommandDefinition = {
  examples: ['weir debug bundle', 'weir debug bundle --file weir.tar.gz', 'tar tzf weir-debug-….tar.gz'],
  notes:
    'Status, workers, hosts, agents, events, revisions, the config, and what weir doctor finds. Secrets are taken out: values of fields that are named like one, tokens, keys, passwords in addresses, and the values of queries. Look through it before you send it: names of hosts, services and people are in it.',
  options: [{ flags: '--file <FILE>', summary: 'where to write it (default weir-debug-TIME.tar.gz here)' }],
  run: async (call) => {
    const { terminal, values } = call;
    const at = new Date(terminal.clock.wallMs()).toISOString().replace(/[:.]/g, '-');
    const file = values.text('file') ?? `weir-debug-${at}.tar.gz`;
    const files = await collect(call);
    try {
      writeFileSync(file, tarGz(files, terminal.clock.wallMs()), { flag: 'wx', mode: 0o600 });
    } catch (error) {
      throw new CommandFailure(EXIT.failed, `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
    await terminal.data(`${file}\n`);
    terminal.message(`${files.length} files, secrets taken out; look through it before you send it`);
    return EXIT.ok;
  },
};

async function collect(call: CommandCall): Promise<readonly ArchivedText[]> {
  const { terminal } = call;
  const json = (name: string, value: unknown): ArchivedText => ({ name, text: `${JSON.stringify(redactJson(value), null, 2)}\n` });
  const failed = (name: string, error: unknown): ArchivedText => {
    if (!(error instanceof CommandFailure)) throw error;
    return { name: `${name}.missing`, text: `${redactText(error.message)}\n` };
  };
  const machine = {
    ...{ weir: weirVersion(), node: process.versions.node, platform: platform(), release: release(), arch: arch() },
    ...{ cores: cpus().length, memoryMiB: Math.round(totalmem() / 2 ** 20), at: new Date(terminal.clock.wallMs()).toISOString() },
  };
  const files: ArchivedText[] = [json('machine.json', machine), json('doctor.json', await examine(call))];
  const names = Object.entries(PARTS);
  const client = await call.connect();
  for (const [index, [name, read]] of names.entries()) {
    terminal.progress(`${index + 1} of ${names.length}: ${name}`);
    try {
      files.push(json(name, await read(client)));
    } catch (error) {
      files.push(failed(name, error));
    }
  }
  terminal.progress('');
  try {
    files.push({ name: 'weir.yaml', text: redactYaml(await client.configText()) });
  } catch (error) {
    files.push(failed('weir.yaml', error));
  }
  return files;
}

export const debugCommand: CommandDefinition = {
  examples: ['weir debug bundle'],
  subcommands: [{ name: 'bundle', summary: 'write a support archive, without secrets', load: () => Promise.resolve(bundleCommand) }],
};
