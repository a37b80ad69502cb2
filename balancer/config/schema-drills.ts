// The part of the file that says which drills begin by themselves.
import { Type, type Static } from '../schema/type.ts';
import { duration, listOf, mapping, named, valueOf } from './schema-parts.ts';

const drill = mapping(
  {
    cluster: valueOf('name', 'The cluster that is taken out'),
    dial: Type.Optional(
      Type.Number({ minimum: 0, exclusiveMaximum: 100, description: 'Percentage that it is dialled to; absent: it is drained' }),
    ),
    for: duration('How long the drill lasts; then the cluster comes back by itself', '10m'),
    abortIf: listOf(valueOf('abortCondition', 'Condition'), 'What ends it early, of any service', { default: ['errors>1%'] }),
    when: valueOf('cron', 'It begins in every minute that is named'),
    timeZone: valueOf('timeZone', 'By whose clock', 'UTC'),
  },
  'A drill',
);

export const drills = named('name', drill, { description: 'Drills that begin by themselves, by name (drills.md)', default: {} });

export type DrillFile = Static<typeof drill>;
