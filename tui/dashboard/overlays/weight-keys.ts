// What keys do in the editor of weights: steps, figures that are typed, and that all weights together stay 100. Pure.
import { openPlan, previewOf, weightWords } from '../acting.ts';
import { clusterWeights, round, versionWeights, weightsOverlay } from '../acts.ts';
import { type DashboardState, type Overlay, shown, type WeightValue } from '../state.ts';

type WeightsOverlay = Extract<Overlay, { readonly kind: 'weights' }>;

/** Longer figures are finer than what can be asked for. */
const MAX_TYPED_LENGTH = 8;
const MOVES: Readonly<Record<string, number>> = { j: 1, down: 1, k: -1, up: -1 };
const STEPS: Readonly<Record<string, number>> = { '[': -1, ']': 1, '{': -10, '}': 10, left: -1, right: 1, '-': -0.1, '+': 0.1 };

export function weightsKey(state: DashboardState, overlay: WeightsOverlay, key: string): DashboardState {
  if (overlay.typed !== '') {
    const typing = typingKey(state, overlay, key);
    if (typing !== null) return typing;
  } else if (/^[\d.]$/.test(key)) return { ...state, overlay: { ...overlay, typed: key } };
  if (key === 'escape' || key === 'q') return { ...state, overlay: null };
  if (key === 'enter') return openPlan(state, weightWords(overlay));
  if (key === 'f4' || key === 'r') return previewOf({ ...state, overlay: { ...overlay, values: overlay.before } });
  if (key === 'tab') return otherAxis(state, overlay);
  const by = MOVES[key];
  if (by !== undefined)
    return { ...state, overlay: { ...overlay, index: Math.max(0, Math.min(overlay.values.length - 1, overlay.index + by)) } };
  return stepKey(state, overlay, key);
}

/** A figure that is typed: Enter, and going on to another one, take it; Escape does not. Null: the key is none of that. */
function typingKey(state: DashboardState, overlay: WeightsOverlay, key: string): DashboardState | null {
  const { typed } = overlay;
  const cleared: WeightsOverlay = { ...overlay, typed: '' };
  if (key === 'escape') return { ...state, overlay: cleared };
  if (key === 'backspace') return { ...state, overlay: { ...overlay, typed: typed.slice(0, -1) } };
  if (/^[\d.]$/.test(key)) return { ...state, overlay: { ...overlay, typed: (typed + key).slice(0, MAX_TYPED_LENGTH) } };
  const percent = Number(typed);
  const taken =
    Number.isFinite(percent) && typed !== '.' ? { ...cleared, values: withWeight(overlay, Math.min(100, round(percent))) } : cleared;
  if (key === 'enter') return previewOf({ ...state, overlay: taken });
  return key in MOVES || key === 'tab' ? weightsKey(previewOf({ ...state, overlay: taken }), taken, key) : null;
}

function stepKey(state: DashboardState, overlay: WeightsOverlay, key: string): DashboardState {
  const by = STEPS[key];
  const value = overlay.values[overlay.index];
  if (by === undefined || value === undefined) return state;
  const percent = Math.max(0, Math.min(100, round(value.percent + by)));
  return previewOf({ ...state, overlay: { ...overlay, values: withWeight(overlay, percent) } });
}

/** The others share the rest in proportion to what they have; if that is nothing, the first of them gets it. */
export function withWeight(
  { of, values, index }: Pick<WeightsOverlay, 'of' | 'values' | 'index'>,
  percent: number,
): readonly WeightValue[] {
  if (of === 'dial') return values.map((value) => ({ ...value, percent }));
  if (values.length < 2) return values;
  const others = values.filter((_, each) => each !== index).reduce((sum, value) => sum + value.percent, 0);
  const firstOther = index === 0 ? 1 : 0;
  const scaled = values.map((value, each) => {
    if (each === index) return { ...value, percent };
    const share = others === 0 ? (each === firstOther ? 1 : 0) : value.percent / others;
    return { ...value, percent: round((100 - percent) * share) };
  });
  // What rounding left over goes to the largest of the others, so that all are 100 exactly.
  const left = round(100 - scaled.reduce((sum, value) => sum + value.percent, 0));
  const rest = scaled.map((value, each) => ({ percent: value.percent, each })).filter(({ each }) => each !== index);
  const largest = rest.toSorted((one, other) => other.percent - one.percent)[0]?.each;
  return scaled.map((value, each) => (each === largest ? { ...value, percent: round(value.percent + left) } : value));
}

function otherAxis(state: DashboardState, overlay: WeightsOverlay): DashboardState {
  if (overlay.of === 'dial') return state;
  const service = shown(state).snapshot?.status.services.find(({ name }) => name === overlay.subject);
  if (service === undefined) return state;
  const of = overlay.of === 'versions' ? 'clusters' : 'versions';
  return previewOf({
    ...state,
    overlay: weightsOverlay(of, service.name, of === 'versions' ? versionWeights(service) : clusterWeights(service)),
  });
}
