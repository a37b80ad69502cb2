// Long work in steps: whoever drives it may do something else between two of them.

/** Routes, hosts or keys in one step: a fraction of a millisecond of work. */
const STEP = 256;

/** Whether a step ends with this index. */
export function isStep(index: number): boolean {
  return index % STEP === STEP - 1;
}

/** All steps at once. */
export function finish<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
