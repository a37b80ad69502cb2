// Nothing expires unasked: on a terminal, a change that can return by itself and says nothing of its time asks for one.
import { timeOf } from './change.ts';
import type { CommandCall } from './command.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { parseDurationMs } from './values.ts';

const QUESTION = 'Return by itself after 30m, 2h or another time? none: it stays [none] ';

/** What the options say of the time, else what somebody answers. Who wants no question says --for, --permanent or --yes. */
export async function askedTime(call: CommandCall): Promise<ReturnType<typeof timeOf>> {
  const { values, terminal } = call;
  const said = timeOf(values);
  const unasked = said.forMs !== undefined || ['permanent', 'yes', 'dryRun'].some((flag) => values.flag(flag));
  if (unasked || !terminal.interactive) return said;
  call.ifInterrupted('nothing was changed');
  for (;;) {
    const answer = (await terminal.ask(QUESTION))?.trim();
    if (answer === undefined) throw new CommandFailure(EXIT.refused, 'nothing was changed');
    if (answer === '' || /^(none|no|n)$/i.test(answer)) return said;
    const forMs = durationOf(answer);
    if (forMs !== null) return { ...said, forMs };
    terminal.message(`expected a time such as 30m or 2h, or none, got ${JSON.stringify(answer)}`);
  }
}

function durationOf(answer: string): number | null {
  try {
    return parseDurationMs(answer, 'the time');
  } catch {
    return null;
  }
}
