// weir version: of this command and of the Node.js that runs it.
import type { CommandDefinition } from '../command.ts';
import { EXIT } from '../exit.ts';
import { writeResult } from '../output.ts';
import { weirVersion } from '../../balancer/version.ts';

export const versionCommand: CommandDefinition = {
  examples: ['weir version', 'weir version -o json'],
  notes: 'The version of the appliance is in `weir status`.',
  run: async (call) => {
    const versions = { weir: weirVersion(), node: process.versions.node };
    await writeResult(call, { kind: 'version', revision: 0, items: [versions] }, `weir ${versions.weir} (Node.js ${versions.node})\n`);
    return EXIT.ok;
  },
};
