// The rule that takes a request before the split, with what comes of it. Pure.
import { Assignment, NO_RULE } from '../route/assignment.ts';
import { assignText, bucketPoint } from '../route/explain-assignment.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { Choice, ChoiceFacts } from './explain-choice.ts';

export interface AssignedBy {
  /** Null: its version has no place, and the split decides after all. */
  readonly choice: Choice | null;
  /** Why, where the split decides after all. */
  readonly note: string;
}

/** Null: no rule holds. */
export function explainAssign({ config, plan, passedThrough }: ChoiceFacts, request: CanonicalRequest): AssignedBy | null {
  if (config.assign.length === 0) return null;
  const assignment = new Assignment(config.assign);
  const index = passedThrough ? assignment.matchConnection(request.clientAddress) : assignment.match(request);
  const rule = config.assign[index];
  if (index === NO_RULE || rule === undefined) return null;
  const { to } = rule;
  const point = bucketPoint(rule, request);
  const says = `rule ${index + 1} (${assignText(rule)}) says ${to}`;
  const parts = plan.targets.map(({ version, within = 0 }) => (version === to ? within : 0));
  const total = parts.reduce((sum, part) => sum + part, 0);
  const moves = config.onUnavailable === 'redistribute';
  if (total === 0 && moves) return { choice: null, note: `${says}, which has no place now` };
  const text = total === 0 ? `${says}, which has no place now, and nothing may move` : says;
  const probabilities = parts.map((part) => (total === 0 ? 0 : part / total));
  return {
    choice: { choice: { by: 'assign', text, bucketPercent: point === null ? null : point * 100, pin: null }, probabilities },
    note: '',
  };
}
