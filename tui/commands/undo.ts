// weir undo, redo: the last operator's change taken back and there again, or the intent of an earlier revision restored.
import { CHANGE_OPTIONS, makeChange, OVER_OPTION, overOf } from '../change.ts';
import type { CommandDefinition } from '../command.ts';

export const undoCommand: CommandDefinition = {
  examples: ['weir undo --dry-run', 'weir undo', 'weir undo --over 5m', 'weir undo --to 41'],
  notes: [
    'Takes back the last change of an operator, as a new revision on top. If later revisions touched the same fields it stops (exit code 6)',
    'and shows them; --to restores the intent of a revision exactly. The intent is exact; shares follow health and capacity.',
    'What is on its way goes back at once, or little by little with --over.',
  ].join('\n'),
  options: [{ flags: '--to <REVISION>', summary: 'restore the intent as it was at this revision' }, OVER_OPTION, ...CHANGE_OPTIONS],
  run: async (call) => {
    const to = call.values.number('to', { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true });
    return makeChange(call, await call.connect(), { kind: 'undo', to, ...overOf(call.values) });
  },
};

export const redoCommand: CommandDefinition = {
  examples: ['weir redo --dry-run', 'weir redo'],
  notes:
    'What the last `weir undo` took back is there again. Of a rollout its split is, and not its steps. Keeps the safety rules like any change.',
  options: [OVER_OPTION, ...CHANGE_OPTIONS],
  run: async (call) => makeChange(call, await call.connect(), { kind: 'redo', ...overOf(call.values) }),
};
