// weir demo: three local clusters with agents and a balancer before them, until Ctrl-C.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createAdminClient } from '../client.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { runDemo, type DemoSetting } from '../demo/demo.ts';
import type { DemoPorts } from '../demo/layout.ts';
import { takeSignals } from '../demo/signals.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';

/** Where the package stands, seen from this file. */
const PACKAGE_ROOT = join(import.meta.dirname, '../..');
/** Only a checkout has the sources; there the command is called through npm. */
const IS_CHECKOUT = existsSync(join(PACKAGE_ROOT, 'tui/weir.ts'));

interface PortOption {
  readonly option: string;
  /** In camel case, as the parser keeps it. */
  readonly key: string;
  readonly preset: number;
  readonly what: string;
}

const PORT_OPTIONS: Readonly<Record<keyof DemoPorts, PortOption>> = {
  listener: { option: '--port', key: 'port', preset: 8080, what: 'the demo service' },
  admin: { option: '--admin-port', key: 'adminPort', preset: 7070, what: 'the admin API' },
  agents: { option: '--agents-port', key: 'agentsPort', preset: 7071, what: 'the agents' },
  metrics: { option: '--metrics-port', key: 'metricsPort', preset: 9464, what: 'metrics' },
};

function portsOf({ values }: CommandCall): DemoSetting['ports'] {
  const wanted = ({ option, key, preset }: PortOption) => ({
    option,
    port: values.number(key, { min: 0, max: 65_535, integer: true }) ?? preset,
  });
  return {
    listener: wanted(PORT_OPTIONS.listener),
    admin: wanted(PORT_OPTIONS.admin),
    agents: wanted(PORT_OPTIONS.agents),
    metrics: wanted(PORT_OPTIONS.metrics),
  };
}

async function run(call: CommandCall): Promise<ExitCode> {
  const { terminal } = call;
  const program = process.argv[1];
  if (program === undefined) throw new CommandFailure(EXIT.failed, 'the demo cannot tell which program it is, so it cannot start others');
  using signals = takeSignals();
  return await runDemo({
    terminal,
    ports: portsOf(call),
    program: resolve(program),
    checkout: IS_CHECKOUT ? resolve(PACKAGE_ROOT) : null,
    connect: (path) => createAdminClient({ address: { kind: 'socket', path }, source: 'the demo', context: null }, terminal.userName),
    ending: signals.ending,
    onBringBack: (bringBack) => signals.onBringBack(bringBack),
  });
}

export const demoCommand: CommandDefinition = {
  examples: ['weir demo', 'weir demo --port 8088', 'weir demo --port 0 --admin-port 0 --agents-port 0 --metrics-port 0'],
  notes: `Starts three local clusters, each an HTTP origin and an agent, and a balancer with two workers; prints addresses and commands to
try; runs until Ctrl-C and leaves nothing behind. Port 0 takes any that is free.`,
  options: Object.values(PORT_OPTIONS).map(({ option, preset, what }) => ({
    flags: `${option} <PORT>`,
    summary: `port of ${what} on 127.0.0.1 (default: ${preset})`,
  })),
  ownSignals: true,
  run,
};
