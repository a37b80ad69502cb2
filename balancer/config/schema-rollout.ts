// The part of a service in the file that says how its rollouts go.
import { Type } from '../schema/type.ts';
import { choice, duration, listOf, optionalMapping, valueOf } from './schema-parts.ts';

export const rollout = optionalMapping(
  {
    steps: listOf(
      Type.Number({ exclusiveMinimum: 0, maximum: 100, description: 'Percentage, up to 4 decimals' }),
      'What the version gets in each step, rising',
      {
        default: [1, 5, 25, 50, 100],
        minItems: 1,
        expected: 'at least one, such as [10, 100]',
      },
    ),
    hold: duration('How long a step lasts at least', '1m'),
    minRequests: Type.Integer({ minimum: 0, default: 100, description: 'Requests to the version that a step needs at least' }),
    gates: listOf(
      Type.String({
        description:
          'Gate, for example `errors<1%`, `errors<3x`, `p95<1.2x`, `p99<300ms`, `mirror-diff<1%`, or the name of one under `gates`',
      }),
      'What has to hold in every step',
      {
        default: [],
      },
    ),
    waves: Type.Optional(
      listOf(
        valueOf('wave', 'Clusters of one wave'),
        'Clusters that take all steps together, wave after wave, such as `[eu-west+eu-north, us-east]`. Without it all clusters at once',
        { minItems: 1, expected: 'at least one, such as [eu-west+eu-north, us-east]' },
      ),
    ),
    onFail: choice(['rollback', 'step-back', 'freeze'], 'What a failed gate does', 'rollback'),
  },
  'How rollouts of the service go, unless `weir canary start` says otherwise (rollouts.md)',
);
