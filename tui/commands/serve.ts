// weir serve: an edge host in this process and its children.
import type { CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';

export const serveCommand: CommandDefinition = {
  examples: ['weir check weir.yaml && weir serve -c weir.yaml'],
  notes: 'SIGHUP reads the file again, SIGTERM drains and ends. The log is on stderr, one JSON object a line.',
  options: [{ flags: '-c, --config <FILE>', summary: 'the config file' }],
  ownSignals: true,
  run: async ({ values, programs }) => {
    const configFile = values.text('config');
    if (configFile === null) throw new CommandFailure(EXIT.usage, 'a config file is needed: weir serve -c weir.yaml');
    return programs.serve({ configFile });
  },
};
