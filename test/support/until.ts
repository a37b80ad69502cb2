// Waits for a condition with a deadline, so that tests need no sleeps.
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when `condition` holds; rejects after `deadlineMs`, saying what was waited for. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, deadlineMs = 5000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await delay(10);
  }
}
