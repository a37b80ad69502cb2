// What the history of metrics answers, checked and with its columns as the charts take them.
import { figure, list, nullable, object, oneOf, part, text } from './decoders.ts';
import type { HistorySeries } from './state.ts';

const column = (value: unknown): readonly (number | null)[] => (value === undefined ? [] : list(nullable(figure))(value));

const series = object<Omit<HistorySeries, 'of'> & { readonly series: string }>({
  series: text,
  startMs: figure,
  stepMs: figure,
  rps: column,
  errorRatio: column,
  p95Ms: column,
  p99Ms: column,
  effectiveShare: column,
  health: (value) => (value === undefined ? [] : list(nullable(oneOf('unknown', 'up', 'degraded', 'down')))(value)),
  histogram: (value) => (value === undefined || value === null ? [] : list(nullable(list(figure)))(value)),
});

/** Throws StatusUnreadable. */
export function decodeHistory(value: unknown): readonly HistorySeries[] {
  const items = typeof value === 'object' && value !== null && 'items' in value ? value.items : value;
  return part(list(series), items, 'items').map(({ series: of, ...columns }) => ({ of, ...columns }));
}
