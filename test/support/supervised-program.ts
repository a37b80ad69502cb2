// What the supervisor starts in its own tests, in place of weir: does as the file named by WEIR_TEST_PLAN says, by role or worker.
import { readFileSync } from 'node:fs';

const { WEIR_ROLE: role = '', WEIR_WORKER: worker = '', WEIR_TEST_PLAN: planFile = '' } = process.env;
const plans = JSON.parse(readFileSync(planFile, 'utf8')) as Readonly<Record<string, string>>;
const plan = plans[worker === '' ? role : worker] ?? plans[role] ?? 'obey';

process.on('SIGTERM', () => undefined);
process.once('disconnect', () => process.exit());

process.on('message', (message: { readonly type?: string }) => {
  if (message.type === 'drain' && plan !== 'ignore') process.exit();
  else if (message.type === 'reload') process.send?.({ type: 'scale', workers: Number(readFileSync(`${planFile}.workers`, 'utf8')) });
});

setInterval(() => process.send?.({ type: 'alive' }), 1000);

if (plan === 'die') process.exit(3);
else if (plan.startsWith('fail ')) process.send?.({ type: 'failed', problem: plan.slice(5) });
else if (plan !== 'silent') process.send?.({ type: 'ready' });
