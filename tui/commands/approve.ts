// weir approve, reject: what a second person makes of a change that waits for one.
import type { ApprovalResult, ApprovalView } from '../../balancer/controller/api/views.ts';
import { askingWhenDangerous, laggardsOf, reportChange } from '../change.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { configOutcome } from '../config-outcome.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { writeResult } from '../output.ts';
import { plain } from '../table.ts';

export const approveCommand: CommandDefinition = {
  examples: ['weir get approvals', 'weir approve 3 --dry-run', 'weir approve 3'],
  notes: [
    'Changes of services under safety.approval of the config wait for a second person: somebody with a token (weir token create NAME --owner PERSON)',
    'who is not the one who asked. The change is then made as it was asked for, by the rules of now, and recorded with both names. It is refused',
    '(exit code 6) if what it is about was changed since. Who calls over the unix socket gives itself its name, and is nobody’s second person.',
  ].join('\n'),
  arguments: [{ name: 'ID', summary: 'what waits, as weir get approvals tells' }],
  options: [
    { flags: '--dry-run', summary: 'show what it would change now and change nothing (exit code 10 if something would)' },
    { flags: '--yes', summary: 'answer every question with yes' },
  ],
  run: async (call) => {
    const id = call.values.argument(0);
    const dryRun = call.values.flag('dryRun');
    const client = await call.connect();
    if (!dryRun) call.ifInterrupted('the change may or may not have been made; `weir history` tells');
    const request = { verdict: 'approve' as const, ...(dryRun ? { dryRun } : {}), ...(call.values.flag('yes') ? { yes: true } : {}) };
    return tell(call, await askingWhenDangerous(call, request, (asked) => client.decide(id, asked)));
  },
};

async function tell(call: CommandCall, { change, drill, config }: ApprovalResult): Promise<ExitCode> {
  if (change !== null) {
    await reportChange(call, change);
    if (change.dryRun) return change.changed ? EXIT.wouldChange : EXIT.ok;
    return laggardsOf(call, change);
  }
  if (config !== null) {
    await writeResult(call, { kind: 'config', revision: config.revision, items: [config] }, configOutcome(config));
    return config.dryRun && config.changed ? EXIT.wouldChange : EXIT.ok;
  }
  if (drill !== null) {
    const text = `drill ${drill.id} has begun; weir drill show ${drill.id} --wait stays until its grade\n`;
    await writeResult(call, { kind: 'drills', revision: drill.id, items: [drill] }, text);
  }
  return EXIT.ok;
}

export const rejectCommand: CommandDefinition = {
  examples: ['weir reject 3 --reason "not on a Friday"'],
  notes: 'Nothing is changed, and what waited is dropped. Whoever asked for it takes it back this way too.',
  arguments: [{ name: 'ID', summary: 'what waits, as weir get approvals tells' }],
  options: [{ flags: '--reason <TEXT>', summary: 'why, for the events' }],
  run: async (call) => {
    const id = call.values.argument(0);
    const reason = call.values.text('reason');
    const client = await call.connect();
    const [pending] = (await client.list<ApprovalView>('approvals', { name: id })).items;
    const result = await client.decide(id, { verdict: 'reject', ...(reason === null ? {} : { reason }) });
    const what = pending === undefined ? '' : `: ${plain(pending.summary)}, asked for by ${plain(pending.by)}`;
    await writeResult(call, { kind: 'approvals', revision: 0, items: [result] }, `${id} is rejected${what}\n`);
    return EXIT.ok;
  },
};
