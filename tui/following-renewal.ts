// Asks for a renewal of the host and stays until it is over. The appliance is away for a moment while its program is replaced.
import type { RenewalRequest, RenewalView } from '../balancer/controller/api/views.ts';
import type { CommandCall } from './command.ts';
import { CommandFailure, EXIT, type ExitCode } from './exit.ts';
import { writeResult } from './output.ts';
import { clearProgress, showProgress } from './progress.ts';

const POLL_MS = 200;
/** After the time that the host gives itself: for taking back what failed, and for the answer. */
const GRACE_MS = 15_000;

export const END_DRAINING_OPTION = {
  flags: '--end-draining',
  summary: 'end those first that still drain since renewals before: what they have is cut off',
};

/** What is said when it is done. */
type Tell = (renewal: RenewalView) => string;

export async function renewAndFollow(call: CommandCall, of: RenewalRequest['of'], tell: Tell): Promise<ExitCode> {
  const timeoutMs = call.values.durationMs('timeout') ?? 60_000;
  const client = await call.connect();
  const { id } = await client.renew({ of, timeoutMs, ...(call.values.flag('endDraining') ? { endDraining: true } : {}) });
  call.ifInterrupted(`the renewal goes on; \`weir events\` tells what becomes of it`);
  const { clock } = call.terminal;
  const untilMs = clock.nowMs() + timeoutMs + GRACE_MS;
  for (;;) {
    const renewal = await look(() => client.list<RenewalView>('renewals', { name: id }));
    clearProgress(call);
    if (renewal?.state === 'failed')
      throw new CommandFailure(EXIT.failed, `nothing has changed: ${renewal.problem ?? 'no reason was given'}`);
    if (renewal?.state === 'done') {
      await writeResult(call, { kind: 'renewals', revision: 0, items: [renewal] }, `${tell(renewal)}\n`);
      return EXIT.ok;
    }
    const passedMs = clock.nowMs() - (untilMs - timeoutMs - GRACE_MS);
    showProgress(
      call,
      passedMs / timeoutMs,
      `${of === 'program' ? 'the program' : 'the workers'} of the host, ${Math.round(passedMs / 1000)} s of ${timeoutMs / 1000} s`,
    );
    if (clock.nowMs() > untilMs)
      throw new CommandFailure(
        EXIT.timedOut,
        `not over after ${(timeoutMs + GRACE_MS) / 1000} s; \`weir events\` and the log of weir tell more`,
      );
    await new Promise<void>((resolve) => void clock.after(POLL_MS, resolve));
  }
}

/** Null: nothing is known at this moment, as nobody is there, or one who has not heard of it yet. */
async function look(ask: () => Promise<{ readonly items: readonly RenewalView[] }>): Promise<RenewalView | null> {
  try {
    return (await ask()).items[0] ?? null;
  } catch (error) {
    if (error instanceof CommandFailure && (error.exitCode === EXIT.unreachable || error.exitCode === EXIT.notFound)) return null;
    throw error;
  }
}
