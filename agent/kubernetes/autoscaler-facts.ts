// What is kept of a HorizontalPodAutoscaler: how many replicas there are, are wanted, and may be.
import { conditionOf, keyOf, numberOf, textOf } from './read-json.ts';

export interface AutoscalerFacts {
  readonly key: string;
  /** `namespace/Kind/name` of what it scales. */
  readonly target: string;
  readonly current: number;
  readonly desired: number;
  readonly most: number;
  /** It wants more than it may have. */
  readonly isAtMost: boolean;
  /** It cannot read what it scales by, so it does nothing. */
  readonly isBlind: boolean;
}

/** Of an `autoscaling/v2` HorizontalPodAutoscaler. */
export function autoscalerFacts(object: unknown): AutoscalerFacts {
  const limited = conditionOf(object, 'ScalingLimited');
  const active = conditionOf(object, 'ScalingActive');
  const target = `${textOf(object, 'spec', 'scaleTargetRef', 'kind')}/${textOf(object, 'spec', 'scaleTargetRef', 'name')}`;
  return {
    key: keyOf(object),
    target: `${textOf(object, 'metadata', 'namespace')}/${target}`,
    current: numberOf(object, 'status', 'currentReplicas'),
    desired: numberOf(object, 'status', 'desiredReplicas'),
    most: numberOf(object, 'spec', 'maxReplicas'),
    isAtMost: textOf(limited, 'status') === 'True' && textOf(limited, 'reason') === 'TooManyReplicas',
    // ScalingDisabled is a target of 0 replicas, which is meant; anything else that is not active cannot measure.
    isBlind: textOf(active, 'status') === 'False' && textOf(active, 'reason') !== 'ScalingDisabled',
  };
}
