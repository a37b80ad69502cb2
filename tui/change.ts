// What all commands that change the intent share: their options, the question before a dangerous act, the answer, the exit code.
import type { ApiProblem, AppliedView, AskedChange, ChangeRequest, ChangeResult, Forecast } from '../balancer/controller/api/views.ts';
import type { AdminClient } from './client.ts';
import { FORECAST_COLUMNS, SHARE_CHANGE_COLUMNS } from './columns.ts';
import * as text from './format.ts';
import type { CommandCall, OptionSpec } from './command.ts';
import { CommandFailure, EXIT, type ExitCode, ProblemFailure } from './exit.ts';
import { isStructured, writeResult } from './output.ts';
import { table } from './table.ts';
import { type CommandValues, parseNumber } from './values.ts';

export const CHANGE_OPTIONS: readonly OptionSpec[] = [
  { flags: '--dry-run', summary: 'show what would change and change nothing (exit code 10 if something would)' },
  { flags: '--reason <TEXT>', summary: 'why, for the audit' },
  { flags: '--if-revision <N>', summary: 'only if the intent is still at this revision (exit code 6 if not)' },
  { flags: '--yes', summary: 'answer every question with yes' },
  { flags: '--break-glass', summary: 'overrule the safety rules of the config (needs --reason; the audit says which)' },
];

/** For changes of where requests go. */
export const OVER_OPTION: OptionSpec = { flags: '--over <DURATION>', summary: 'come little by little, over this time, such as 10m' };

/** For changes that can return by themselves, and be made on one host alone. */
export const TIMED_OPTIONS: readonly OptionSpec[] = [
  { flags: '--local', summary: 'of this host alone, while it is cut off from its fleet; weir local merges or discards it' },
  OVER_OPTION,
  { flags: '--for <DURATION>', summary: 'return by itself after this time, such as 2h' },
  { flags: '--permanent', summary: 'stay, where the config asks for a time (needs --reason)' },
  ...CHANGE_OPTIONS,
];

/** Over how long it comes. */
export function overOf(values: CommandValues): { readonly overMs?: number } {
  const overMs = values.durationMs('over');
  return overMs === null ? {} : { overMs };
}

/** What a timed change says of its time. */
export function timeOf(values: CommandValues): { readonly forMs?: number; readonly overMs?: number } {
  const forMs = values.durationMs('for');
  if (forMs === null) return overOf(values);
  if (values.flag('permanent')) throw new CommandFailure(EXIT.usage, '--for returns and --permanent stays; say one of the two');
  return { forMs, ...overOf(values) };
}

/** Asks the appliance for `change` and tells the outcome. */
export async function makeChange(
  call: CommandCall,
  client: AdminClient,
  change: AskedChange,
  more: Pick<ChangeRequest, 'growth'> = {},
): Promise<ExitCode> {
  const request = { ...changeRequest(call.values, change), ...more };
  if (request.dryRun !== true) call.ifInterrupted('the change may or may not have been made; `weir history` tells');
  const result = await askingWhenDangerous(call, request, (asked) => client.change(asked));
  call.ifInterrupted(null);
  await reportChange(call, result);
  if (result.refusals.length > 0) return EXIT.refused;
  if (result.dryRun) return result.changed ? EXIT.wouldChange : EXIT.ok;
  return laggardsOf(call, result);
}

export function changeRequest(values: CommandValues, change: AskedChange): ChangeRequest {
  const ifRevision = values.number('ifRevision', { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });
  const reason = values.text('reason');
  return {
    change,
    ...(reason === null ? {} : { reason }),
    ...(values.flag('dryRun') ? { dryRun: true } : {}),
    ...(ifRevision === null ? {} : { ifRevision }),
    ...(values.flag('permanent') ? { permanent: true } : {}),
    ...(values.flag('breakGlass') ? { breakGlass: true } : {}),
    ...(values.flag('local') ? { local: true } : {}),
    ...(values.flag('yes') ? { yes: true } : {}),
  };
}

/** Sends; on `confirm` asks whoever sits there and sends again. Without a terminal the refusal stands. */
export async function askingWhenDangerous<Request extends { readonly yes?: boolean }, Result>(
  call: CommandCall,
  request: Request,
  send: (request: Request) => Promise<Result>,
): Promise<Result> {
  try {
    return await send(request);
  } catch (error) {
    if (!(error instanceof ProblemFailure) || error.problem.code !== 'confirm') throw error;
    await confirmed(call, error.problem);
    return send({ ...request, yes: true });
  }
}

async function confirmed({ terminal, ifInterrupted }: CommandCall, problem: ApiProblem): Promise<void> {
  if (!terminal.interactive) {
    const fix = 'There is no terminal to ask on: add --yes to do it all the same, or --dry-run to see what it does.';
    throw new CommandFailure(EXIT.refused, `${problem.message}\n${fix}`);
  }
  terminal.message(problem.message);
  ifInterrupted('nothing was changed');
  if (!(await terminal.confirm(problem.question ?? 'Do it?'))) throw new CommandFailure(EXIT.refused, 'nothing was changed');
  ifInterrupted('the change may or may not have been made; `weir history` tells');
}

export async function reportChange(call: CommandCall, result: ChangeResult): Promise<void> {
  const list = { kind: 'changes', revision: result.revision, items: [result] };
  const foreseen = result.forecast !== null && result.changed ? forecastText(result.forecast) : '';
  await writeResult(call, list, `${table(result.shares, SHARE_CHANGE_COLUMNS)}${foreseen}${outcomeOf(result).join('\n')}\n`);
}

/** What it would come to under the demand of now. */
function forecastText({ clusters, moved, lostRps, headroom, spill, expected }: Forecast): string {
  const lines = moved.map(
    ({ service, toOtherVersion, toOtherPlace }) =>
      `${service}: ${text.ratio(toOtherVersion)} of its requests go to another version, ${text.ratio(toOtherPlace)} to another place`,
  );
  if (lostRps.before > 0 || lostRps.after > 0)
    lines.push(`answered 503 for want of a place: ${text.rate(lostRps.before)} → ${text.rate(lostRps.after)} requests/s`);
  lines.push(`one cluster could be lost then: ${headroom}`);
  for (const one of spill) lines.push(spillText(one));
  for (const one of expected) lines.push(expectedText(one));
  return `\n${table(clusters, FORECAST_COLUMNS)}${lines.join('\n')}\n\n`;
}

/** Of a preview: where the requests of a cluster would go. */
export function spillText({ cluster, rps, to, shedRps }: Forecast['spill'][number]): string {
  const gains = to.map((one) => `${one.cluster} +${text.rate(one.rps)}`);
  const all = [...gains, ...(shedRps > 0 ? [`${text.rate(shedRps)} refused`] : [])].join(', ');
  return `without ${cluster} its ${text.rate(rps)} requests/s go to: ${all === '' ? 'nobody' : all}`;
}

/** Of a preview: what the agent of a cluster would be told. */
export function expectedText({ cluster, service, rps, before }: Forecast['expected'][number]): string {
  return `the agent of ${cluster} would be told to expect ${text.rate(rps)} requests/s of ${service}, ${text.rate(before)} now`;
}

export function outcomeOf(result: ChangeResult): readonly string[] {
  const at = result.local ? `this host alone, beside revision ${result.revision} of its fleet` : `revision ${result.revision}`;
  if (!result.changed) return [`nothing to change: ${result.summary}; still ${at}`];
  if (result.dryRun)
    return [
      ...result.refusals.map((why) => `it would be refused: ${why}`),
      `dry run: ${result.summary}; nothing was changed, still ${at}`,
      ...needsText(result.needsApproval),
    ];
  const applied = result.applied;
  const where =
    applied === null
      ? ''
      : `: applied on ${hostsText(applied)}${applied.acknowledged}/${applied.workers} workers in ${Math.round(applied.tookMs)} ms`;
  return [result.summary, `${at}${where}`, ...(result.undo === '' ? [] : [`undo: ${result.undo}`])];
}

/** What a dry run says of the second person. */
export function needsText(services: readonly string[]): readonly string[] {
  return services.length === 0 ? [] : [`it would wait for a second person, for the sake of ${services.join(', ')} (rule safety.approval)`];
}

function hostsText({ fleet }: AppliedView): string {
  return fleet === null ? '' : `${fleet.acknowledged}/${fleet.hosts} hosts, here `;
}

/** The change is made and durable; workers that have not taken it up yet make the exit code that of a time-out. */
export function laggardsOf({ terminal, format }: CommandCall, { applied, revision }: ChangeResult): ExitCode {
  const laggards = [...(applied?.laggards ?? []), ...(applied?.fleet?.laggards ?? [])];
  if (laggards.length === 0) return EXIT.ok;
  const follow = isStructured(format) ? '' : `; \`weir wait --for revision:${revision}\` waits for them`;
  terminal.message(`weir: not applied yet by ${laggards.join(', ')}${follow}`);
  return EXIT.timedOut;
}

/** `A=70 B=30`: percentages from 0 to 100 with up to 4 decimals, as they were typed. */
export function parsePercents(pairs: readonly string[], what: string): Readonly<Record<string, number>> {
  const percents = new Map<string, number>();
  for (const pair of pairs) {
    const [, name, value] = /^([^=]+)=([^=]*)$/.exec(pair) ?? [];
    if (name === undefined || value === undefined) {
      throw new CommandFailure(EXIT.usage, `expected ${what}=PERCENT, such as green=10, got ${JSON.stringify(pair)}`);
    }
    if (percents.has(name)) throw new CommandFailure(EXIT.usage, `${name} is named twice`);
    percents.set(name, parsePercent(value, name));
  }
  return Object.fromEntries(percents);
}

export function parsePercent(text: string, what: string): number {
  const bare = text.replace(/%$/, '');
  const value = parseNumber(bare, what, { min: 0, max: 100 });
  if (/\.\d{5,}$/.test(bare))
    throw new CommandFailure(EXIT.usage, `${what}: at most 4 decimals (a millionth), got ${JSON.stringify(text)}`);
  return value;
}
