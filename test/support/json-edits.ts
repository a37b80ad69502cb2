// Edits of JSON as the file would give them, of which a test names only what matters to it.
import type { SideFile } from '../../balancer/filter/json-body/options.ts';

export type SideParts = Partial<Omit<SideFile, 'set'>> & {
  readonly set?: readonly (Omit<SideFile['set'][number], 'when'> & Partial<Pick<SideFile['set'][number], 'when'>>)[];
};

export function sideOptions({ set = [], ...parts }: SideParts): SideFile {
  return {
    ...{ remove: [], mask: [], maskWith: '***', rename: [], ignoreCase: false, otherTypes: 'pass', maxSize: '10MiB', maxDepth: 64 },
    ...parts,
    set: set.map((one) => ({ when: 'always' as const, ...one })),
  };
}
