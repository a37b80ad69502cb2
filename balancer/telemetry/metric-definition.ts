// What is said of a metric where it is listed, and what follows from it.

export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** The bounded label sets; nothing else may label a metric. */
export type Label =
  | 'listener'
  | 'route'
  | 'service'
  | 'version'
  | 'cluster'
  | 'region'
  | 'host'
  | 'worker'
  | 'filter'
  | 'policy'
  | 'consumer'
  | 'use'
  | 'certificate'
  | 'state'
  | 'code_class'
  | 'outcome'
  | 'reason';

export interface MetricDefinition {
  readonly kind: MetricKind;
  readonly help: string;
  /** By which it is told to who reads the metrics. */
  readonly labels: readonly Label[];
  /**
   * Histograms only: by which workers measure, where that is more than is told. A histogram of each service, version and cluster would be 28 lines for
   * each of the three at once, and they multiply.
   */
  readonly measured?: readonly Label[];
  /** Histograms only: not measured itself, but a sum of what is measured for another one. */
  readonly sumOf?: string;
  /** Upper bounds; histograms only. The same in every worker and on every host, so that they can be added up. */
  readonly buckets?: readonly number[];
}

/** What the instruments of a metric are labelled with. */
export function measuredLabels({ measured, labels }: MetricDefinition): readonly Label[] {
  return measured ?? labels;
}

const UNITS = ['seconds', 'bytes', 'ratio', 'rps'] as const;

/** By the end of its name, as OpenMetrics has it; empty: it is a number of things. */
export function unitOf(name: string): string {
  const base = familyName(name);
  return UNITS.find((unit) => base.endsWith(`_${unit}`)) ?? '';
}

/** Of a counter without what its samples end in. */
export function familyName(name: string): string {
  return name.endsWith('_total') ? name.slice(0, -'_total'.length) : name;
}
