// What a request counts at limits: before it is answered, and by what its answer tells.
import type { Fields } from '../../message/fields.ts';
import type { Identity } from '../../message/identity.ts';
import { readingsOf } from '../../message/path-readings.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import { compileAmount } from '../expression/condition.ts';
import { AskedRequest, REQUEST_VARIABLES } from '../expression/request-variables.ts';
import { Failed, type FailureReason } from '../expression/values.ts';
import type { FilterEnvironment } from '../filter.ts';

/** Before it is known who calls. */
const EARLY_VARIABLES: typeof REQUEST_VARIABLES = new Map([...REQUEST_VARIABLES].filter(([name]) => /^(request|client)\./.test(name)));

/** Of a caller that nobody knows. */
const NOBODY: Identity = { consumer: '', method: '', credential: '', groups: [], scopes: [], claims: null };

/** Null: the expression can be asked. `early`: before it is known who calls. */
export function problemOfCost(expression: string, early: boolean): string | null {
  const amount = compileAmount(expression, early ? EARLY_VARIABLES : REQUEST_VARIABLES);
  return amount.ok ? null : amount.problem;
}

/** Whole, and neither below 0 nor above the most. */
const bounded = (amount: number, most: number): number => (Number.isNaN(amount) ? most : Math.min(most, Math.max(0, Math.ceil(amount))));

export type CostOf = (request: CanonicalRequest) => number;

/** Null: each request is one. `most`: what one costs whose expression has no value, and the most that any does by it. */
export function costOf(cost: number | string, most: number, { clock, consumers, meter, route }: FilterEnvironment): CostOf | null {
  if (typeof cost === 'number') return cost === 1 ? null : () => cost;
  const amount = compileAmount(cost, REQUEST_VARIABLES);
  if (!amount.ok) throw new Error(`the cost of requests: ${amount.problem}`);
  const { amountOf } = amount;
  const told = ({ reason }: { readonly reason: FailureReason }): void =>
    meter.counter('weir_condition_failures_total', [route, reason]).add(1);
  return (request) => {
    const identity = request.identity ?? NOBODY;
    const caller = { identity, tags: consumers.tagsOf(identity.consumer), wallMs: clock.wallMs() };
    let highest = 0;
    for (const asked of asksOf(request)) {
      const value = amountOf(new AskedRequest(request, asked, caller));
      if (value instanceof Failed) told(value);
      highest = Math.max(highest, value instanceof Failed ? most : bounded(value, most));
    }
    return highest;
  };
}

/** In every reading that an origin may have of it: what is cheap in one must not do what costs more in another. */
function asksOf(request: CanonicalRequest): readonly Pick<CanonicalRequest, 'method' | 'path'>[] {
  if (request.pathDoubts === 0 && request.otherMethods.length === 0) return [request];
  const paths = readingsOf(request.path);
  return [request.method, ...request.otherMethods].flatMap((method) => paths.map((path) => ({ method, path })));
}

/** A whole number of at most nine digits. */
const TOLD = /^\d{1,9}$/;

/** What a field of an answer tells; null: nothing, or no number. A field that comes twice tells nothing: which of the two counts nobody knows. */
export function toldCost(fields: Readonly<Fields>, field: string): number | null {
  let text: string | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== field) continue;
    if (text !== null) return null;
    text = fields[i + 1] ?? '';
  }
  return text !== null && TOLD.test(text) ? Number(text) : null;
}
