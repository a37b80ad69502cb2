// weir upgrade: the program as it is on disk now takes the place of the one that runs.
import type { CommandDefinition } from '../command.ts';
import { END_DRAINING_OPTION, renewAndFollow } from '../following-renewal.ts';

export const upgradeCommand: CommandDefinition = {
  examples: ['weir upgrade', 'weir upgrade --timeout 2m'],
  notes:
    'Started as the one before was, from what is on disk now, beside it: it checks the config, takes over the listening sockets, the store and the admin socket, and serves; then the workers before\ndrain, with the deadline of the config (`drainDeadline`). If it does not come up in time all is as before, and exit code 1 says why. docs/service.md says how releases are best laid out.',
  options: [
    { flags: '--timeout <DURATION>', summary: 'how long it may take until the new program serves (default 60s)' },
    END_DRAINING_OPTION,
  ],
  run: (call) => renewAndFollow(call, 'program', ({ version }) => `upgraded: weir ${version} serves; the workers before it are draining`),
};
