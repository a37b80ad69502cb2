// The part of a cluster in the file that says what becomes of its tunnels when it is drained.
import { Type } from '../schema/type.ts';
import { optionalMapping, valueOf } from './schema-parts.ts';

export const drain = optionalMapping(
  {
    deadline: Type.Optional(
      valueOf(
        'duration',
        'How long after a drain or maintenance began its tunnels (WebSockets, passed-through connections) are closed, one by one; absent: never. `--deadline` and `--tunnels` of the command go before it',
      ),
    ),
    tunnelsPerSecond: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 100_000,
        description:
          'How many of them are closed a second, over all workers of a host; absent: a tenth of the requests a second that the other places have free, or 20 where that is not known',
      }),
    ),
  },
  'Tunnels of a cluster that is drained (changes.md)',
);
