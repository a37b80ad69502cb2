// weir switch: blue-green. All of a service goes to another version at once, or after a while at a small share, and back in one command.
import { CHANGE_OPTIONS, OVER_OPTION, overOf, parsePercent } from '../change.ts';
import type { CommandDefinition } from '../command.ts';
import { FOLLOW_OPTIONS, GATE_OPTIONS, startRollout } from './canary.ts';

const MILLION = 1_000_000;
const PER_PERCENT = 10_000;
const DEFAULT_WARM_PERCENT = '5';
const DEFAULT_GROWTH = 1.2;
/** Without --keep-old the rollout is done as soon as the gates pass. */
const DEFAULT_KEEP_MS = 60_000;

export const switchCommand: CommandDefinition = {
  examples: [
    'weir switch shop --to green',
    'weir switch shop --to green --over 5m',
    'weir switch shop --to green --warm 30s --keep-old 15m',
    'weir undo',
  ],
  notes: [
    'Without --warm all requests go to the version at once. With it, a small share warms it up first, and the gates have to pass.',
    '--over takes the requests there little by little, with the gates at work; `weir canary pause` stops it where it is.',
    'For --keep-old the gates go on and a failure goes back by itself; at any time, and after it, `weir undo` goes back.',
    'It is refused (exit code 7) where the version is not up in one of its open clusters, or these would not take --growth times the requests',
    'of now, as far as capacities are known. --break-glass --reason TEXT does it all the same.',
    'It is a rollout: `weir canary status`, `pause`, `promote` and `abort` act on it.',
  ].join('\n'),
  arguments: [{ name: 'SERVICE', summary: 'the service' }],
  options: [
    { flags: '--to <VERSION>', summary: 'the version that takes over' },
    { flags: '--warm <DURATION>', summary: 'how long it gets a small share first' },
    { flags: '--warm-percent <PERCENT>', summary: `that share (default ${DEFAULT_WARM_PERCENT})` },
    { flags: '--keep-old <DURATION>', summary: 'how long a failed gate goes back by itself (default 1m)' },
    { flags: '--growth <FACTOR>', summary: `its clusters have to take so many times the requests of now (default ${DEFAULT_GROWTH})` },
    OVER_OPTION,
    ...GATE_OPTIONS,
    ...FOLLOW_OPTIONS,
    ...CHANGE_OPTIONS,
  ],
  run: (call) => {
    const warmMs = call.values.durationMs('warm');
    const keepMs = call.values.durationMs('keepOld') ?? DEFAULT_KEEP_MS;
    const growth = call.values.number('growth', { min: 1, max: 100 }) ?? DEFAULT_GROWTH;
    const over = overOf(call.values);
    if (warmMs === null) return startRollout(call, { steps: [MILLION], holdMs: [keepMs], waves: [], ...over }, { growth });
    const warm = Math.round(parsePercent(call.values.text('warmPercent') ?? DEFAULT_WARM_PERCENT, '--warm-percent') * PER_PERCENT);
    return startRollout(call, { steps: [warm, MILLION], holdMs: [warmMs, keepMs], waves: [], ...over }, { growth });
  },
};
