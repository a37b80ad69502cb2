// weir serve: an edge host in this process and its children.
import type { CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';

export const serveCommand: CommandDefinition = {
  examples: ['weir check weir.yaml && weir serve weir.yaml'],
  notes: 'SIGHUP reads the file again, SIGTERM drains and ends. The log is on stderr, one JSON object a line.',
  arguments: [{ name: 'FILE', summary: 'the config file', optional: true }],
  options: [{ flags: '-c, --config <FILE>', summary: 'the config file, too' }],
  ownSignals: true,
  run: async ({ values, programs }) => {
    const named = values.text('config');
    const [file = named] = values.arguments;
    if (file === null) throw new CommandFailure(EXIT.usage, 'a config file is needed: weir serve weir.yaml');
    if (named !== null && named !== file)
      throw new CommandFailure(EXIT.usage, `one config file is served, and two are given: ${file}, ${named}`);
    return programs.serve({ configFile: file });
  },
};
