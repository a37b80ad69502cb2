// How a plan goes to the workers: in full, or what changed of it. What is long goes only when it is another one.
import { NO_CALLERS } from './intent/callers.ts';
import type { ControllerMessage } from './ipc.ts';
import type { Plan, ServicePlan } from './steer/plan-shape.ts';

export interface NumberedPlan {
  readonly number: number;
  readonly value: Plan;
}

/** `keepsCallers`: they are as they were, and left out. */
export function planMessage({ number, value }: NumberedPlan, keepsCallers = false): ControllerMessage {
  if (!keepsCallers) return { type: 'plan', plan: number, value };
  const rest = { ...value };
  Reflect.deleteProperty(rest, 'callers');
  return { type: 'plan', plan: number, value: rest, keepsCallers };
}

export function planDelta(before: NumberedPlan, now: NumberedPlan, services: Readonly<Record<string, ServicePlan>>): ControllerMessage {
  const { health, purges, callers = NO_CALLERS } = now.value;
  return {
    ...{ type: 'plan_delta', base: before.number, plan: now.number, services, health },
    ...(purges === undefined || purges === before.value.purges ? {} : { purges }),
    ...(callers === (before.value.callers ?? NO_CALLERS) ? {} : { callers }),
  };
}
