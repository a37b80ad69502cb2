// The safety part of the file: rules that changes have to keep.
import { Type, type Static } from '../schema/type.ts';
import { choice, duration, listOf, mapping, optionalMapping, valueOf } from './schema-parts.ts';

export const safety = optionalMapping(
  {
    requireExpiry: listOf(
      choice(['drain', 'maintenance', 'dial', 'shift'], 'A change; a dial to 100 needs none'),
      'Changes that need a time (`--for`), or `--permanent` with a reason',
      { default: [] },
    ),
    minActiveClusters: Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 1,
      description: 'Clusters of each service that a change must leave open; a service that has fewer must not lose one',
    }),
    maxShift: valueOf(
      'percent',
      'Largest part of a service that one change, or one step of a rollout, may move among its versions or clusters',
      '100%',
    ),
    maxCapacityOut: valueOf(
      'percent',
      'Largest part of the capacity of the fleet that may be out at once, drained, dialled down or down, after a change that takes some out; every cluster counts the same where the capacity of one is not known',
      '50%',
    ),
    freeze: listOf(
      mapping(
        {
          when: valueOf('cron', 'Every minute that it names is frozen'),
          timeZone: valueOf('timeZone', 'By whose clock', 'UTC'),
        },
        'Times without changes',
      ),
      'Times in which shares, admin states and dials are not changed, except back to what they were',
      { default: [] },
    ),
    approval: optionalMapping(
      {
        services: listOf(
          valueOf('name', 'A service'),
          'Services that take two people: who changes one, or a cluster that it runs in, waits until somebody else approves',
          { default: [] },
        ),
        wait: duration('How long a change waits; then it is dropped', '1h'),
      },
      'Changes that a second person has to approve',
    ),
  },
  'Rules that changes by operators and rollouts have to keep; `--break-glass` overrules them',
);

export type SafetyFile = Static<typeof safety>;
