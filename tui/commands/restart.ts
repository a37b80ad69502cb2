// weir restart workers: each is replaced when another one serves in its place.
import type { CommandDefinition } from '../command.ts';
import { END_DRAINING_OPTION, renewAndFollow } from '../following-renewal.ts';

const workersDefinition: CommandDefinition = {
  examples: ['weir restart workers'],
  notes:
    'One after the other: the new one takes the sockets over and serves before the one before it drains, with the deadline of the config (`drainDeadline`). If one does not come up the others stay\nas they are, and exit code 1 says why.',
  options: [
    { flags: '--timeout <DURATION>', summary: 'how long it may take until the last one is replaced (default 60s)' },
    END_DRAINING_OPTION,
  ],
  run: (call) => renewAndFollow(call, 'workers', () => 'restarted: all workers are new; those before them are draining'),
};

export const restartCommand: CommandDefinition = {
  examples: ['weir restart workers'],
  subcommands: [{ name: 'workers', summary: 'replace all workers, one by one', load: () => Promise.resolve(workersDefinition) }],
};
