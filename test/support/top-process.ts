// Runs `weir top` with a defect that comes when SIGUSR2 does, and counts listeners: `node top-process.ts SOCKET [throw|reject]`.
import { createAdminClient } from '../../tui/client.ts';
import type { Programs } from '../../tui/command.ts';
import { topCommand } from '../../tui/commands/top.ts';
import { CommandFailure } from '../../tui/exit.ts';
import { systemTerminal } from '../../tui/terminal.ts';
import { CommandValues } from '../../tui/values.ts';

const [socket = '', fault = 'throw'] = process.argv.slice(2);

const unused = (): never => {
  throw new Error('weir top starts no other program');
};
const programs: Programs = {
  serve: unused,
  check: unused,
  simulate: unused,
  replay: unused,
  configSchema: unused,
  makeKey: unused,
  hashPassword: unused,
  agent: unused,
  agentManifest: unused,
  explainAgent: unused,
};

process.once('SIGUSR2', () => {
  const defect = new Error('a defect on purpose');
  if (fault === 'throw') throw defect;
  void Promise.reject(defect);
});

/** Listeners on what outlives a frame: they must be as many after many frames as after the first ones. */
function countListeners(): number {
  const emitters: readonly NodeJS.EventEmitter[] = [process, process.stdin, process.stdout];
  return emitters.reduce((sum, emitter) => sum + emitter.eventNames().reduce((all, name) => all + emitter.listenerCount(name), 0), 0);
}

const client = createAdminClient({ address: { kind: 'socket', path: socket }, source: 'test', context: null }, 'tester');
const counts: number[] = [];
const counting = setInterval(() => counts.push(countListeners()), 250);

try {
  const code = await topCommand.run?.({
    values: new CommandValues([], {}),
    terminal: systemTerminal(false),
    format: 'table',
    connect: () => Promise.resolve(client),
    programs,
    signal: new AbortController().signal,
    ifInterrupted: () => undefined,
  });
  process.exitCode = code ?? 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof CommandFailure ? error.exitCode : 1;
}
await client.close();
clearInterval(counting);
process.stderr.write(`listeners ${counts.length > 0 ? Math.max(...counts) - (counts[0] ?? 0) : 0} more after ${counts.length} looks\n`);
