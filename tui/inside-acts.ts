// What can be done from the dashboard beside changes of the intent: each as a value, so that it is shown before it is done, with what it comes to as
// far as the appliance can say that beforehand.
import type {
  ApprovalRequest,
  ApprovalView,
  ChangeRequest,
  ChangeResult,
  ConfigApplyResult,
  DrillRequest,
  DrillView,
  ExpectationRequest,
  TokenView,
} from '../balancer/controller/api/views.ts';
import type { AdminClient } from './client.ts';
import { configOutcome } from './config-outcome.ts';
import { CommandFailure, EXIT } from './exit.ts';
import * as text from './format.ts';

export type InsideAct =
  | { readonly kind: 'beginDrill'; readonly request: DrillRequest }
  | { readonly kind: 'abortDrill'; readonly id: string }
  | { readonly kind: 'applyConfig'; readonly text: string }
  | { readonly kind: 'decide'; readonly id: string; readonly request: ApprovalRequest }
  | { readonly kind: 'expect'; readonly request: ExpectationRequest }
  | { readonly kind: 'revokeToken'; readonly name: string; readonly local: boolean };

/** An act before it is done. */
export interface ActPlan {
  readonly act: InsideAct;
  /** One line: what it does. */
  readonly summary: string;
  readonly lines: readonly string[];
  /** What it moves; null: nothing, or the appliance cannot say. */
  readonly preview: ChangeResult | null;
  /** False: there is nothing to do. */
  readonly changes: boolean;
  /** The name of what it is about. */
  readonly word: string;
  /** Nothing takes it back: the word has to be typed. */
  readonly forGood: boolean;
}

/** Thrown where an act would be done. */
export class StoppedAct extends Error {
  readonly act: InsideAct;

  constructor(act: InsideAct) {
    super('an act is shown before it is done');
    this.act = act;
  }
}

const stop = (act: InsideAct): never => {
  throw new StoppedAct(act);
};

/** In place of the methods of the client that do something. */
export function stoppingActs(
  client: AdminClient,
): Pick<AdminClient, 'beginDrill' | 'abortDrill' | 'applyConfig' | 'decide' | 'expect' | 'revokeToken'> {
  return {
    beginDrill: (request) => stop({ kind: 'beginDrill', request }),
    abortDrill: (id) => stop({ kind: 'abortDrill', id }),
    applyConfig: (config, dryRun) => (dryRun ? client.applyConfig(config, true) : stop({ kind: 'applyConfig', text: config })),
    decide: (id, request) => (request.dryRun === true ? client.decide(id, request) : stop({ kind: 'decide', id, request })),
    expect: (request) => stop({ kind: 'expect', request }),
    revokeToken: (name, local) => stop({ kind: 'revokeToken', name, local }),
  };
}

/** What an act comes to; nothing is done. Throws CommandFailure where it is refused already. */
export async function planAct(act: InsideAct, client: AdminClient): Promise<ActPlan> {
  const base = { act, lines: [], preview: null, changes: true, forGood: false };
  switch (act.kind) {
    case 'beginDrill':
      return { ...base, ...(await planOfDrill(act.request, client)), word: act.request.cluster };
    case 'abortDrill': {
      const drill = found((await client.list<DrillView>('drills', { name: act.id })).items[0], `there is no drill ${act.id}`);
      const summary = `drill ${drill.id} of ${drill.cluster} ends now`;
      return { ...base, summary, lines: [`${drill.cluster} comes back in a ramp; its grade is aborted`], word: drill.cluster };
    }
    case 'applyConfig': {
      const result = await client.applyConfig(act.text, true);
      return { ...base, summary: 'another config is served', ...ofConfig(result), word: 'config' };
    }
    case 'decide':
      return { ...base, ...(await planOfDecision(act.id, act.request, client)), word: act.id };
    case 'expect': {
      const { cluster, service, rps, inMs, forMs } = act.request;
      const when = inMs === 0 ? 'now' : `in ${text.countdown(inMs / 1000)}`;
      const summary =
        rps === 0
          ? `the agent of ${cluster} is told to expect nothing more than usual of ${service}`
          : `the agent of ${cluster} is told to expect ${rps} requests/s of ${service} ${when}, for ${text.countdown(forMs / 1000)}`;
      return { ...base, summary, word: cluster };
    }
    case 'revokeToken': {
      const token = found(
        (await client.list<TokenView>('tokens')).items.find(({ name }) => name === act.name),
        `there is no token named ${act.name}; token list shows those there are`,
      );
      const whose = token.cluster === null ? `role ${token.role}` : `of the agent of ${token.cluster}`;
      const lines = [
        `${whose}, made ${token.createdAt}${token.owner === null ? '' : `, held by ${token.owner}`}`,
        act.local
          ? 'the next request with it is refused on this host, and nothing makes it valid again'
          : 'the next request with it is refused, on every host of a fleet, and nothing makes it valid again',
      ];
      return { ...base, summary: `token ${token.name} is made invalid`, lines, word: token.name, forGood: true };
    }
  }
}

/** Does it, and says in one line what came of it. `yes`: whoever sits there has said so. */
export async function makeAct(act: InsideAct, client: AdminClient, yes: boolean): Promise<string> {
  switch (act.kind) {
    case 'beginDrill': {
      const { id } = await client.beginDrill(act.request);
      return `drill ${id} has begun; drill show ${id} --wait follows it, drill abort ${id} ends it`;
    }
    case 'abortDrill': {
      const { id, state } = await client.abortDrill(act.id);
      return `drill ${id} is over: ${state}`;
    }
    case 'applyConfig':
      return lastLine(configOutcome(await client.applyConfig(act.text, false)));
    case 'decide': {
      const { change, config, drill } = await client.decide(act.id, { ...act.request, ...(yes ? { yes } : {}) });
      if (change !== null) return `made as revision ${change.revision}: ${change.summary}`;
      if (config !== null) return lastLine(configOutcome(config));
      return drill === null ? `${act.id} is rejected` : `drill ${drill.id} has begun`;
    }
    case 'expect':
      await client.expect(act.request);
      return `told; describe agent ${act.request.cluster} shows what becomes of it`;
    case 'revokeToken': {
      const { elsewhere, fleet } = await client.revokeToken(act.name, act.local);
      if (elsewhere) return `token ${act.name} is revoked on this host alone; all others take it until the fleet can be told`;
      const behind = fleet === null || fleet.laggards.length === 0 ? '' : `; it is good on ${fleet.laggards.join(', ')} yet`;
      return `token ${act.name} is revoked${behind}`;
    }
  }
}

type Planned = Omit<ActPlan, 'act' | 'word' | 'forGood'>;

/** By the change that it is: whether a drill may begin now is asked when it does. */
async function planOfDrill(request: DrillRequest, client: AdminClient): Promise<Planned> {
  const { cluster, act, percent = 0, forMs, abortIf, breakGlass = false, reason } = request;
  const change: ChangeRequest['change'] =
    act === 'dial' ? { kind: 'dial', cluster, percent, forMs } : { kind: 'admin', cluster, state: 'drain', forMs };
  const preview = await client.change({ change, dryRun: true, ...(breakGlass ? { breakGlass, reason: reason ?? 'drill' } : {}) });
  const does = act === 'dial' ? `${cluster} is dialled to ${percent} %` : `${cluster} is drained`;
  const ends = abortIf === undefined ? 'errors>1%' : abortIf.join(', ');
  return {
    summary: `drill: ${does} for ${text.countdown(forMs / 1000)}, watched and graded`,
    lines: [`it ends early if ${ends}, when requests find no place, or when another cluster goes down`],
    preview,
    changes: true,
  };
}

async function planOfDecision(id: string, request: ApprovalRequest, client: AdminClient): Promise<Planned> {
  const waits = found((await client.list<ApprovalView>('approvals', { name: id })).items[0], `nothing waits as ${id}; get approvals tells`);
  const asked = `asked for by ${waits.by}${waits.reason === '' ? '' : `: ${waits.reason}`}`;
  if (request.verdict === 'reject') return { summary: `dropped: ${waits.summary}`, lines: [asked], preview: null, changes: true };
  const { change, config } = await client.decide(id, { ...request, dryRun: true });
  const summary = `approved: ${waits.summary}`;
  if (config !== null) return { summary, preview: null, ...ofConfig(config), lines: [asked, ...ofConfig(config).lines] };
  return { summary, lines: [asked], preview: change, changes: change?.changed ?? true };
}

function ofConfig(result: ConfigApplyResult): Pick<ActPlan, 'lines' | 'changes'> {
  return { lines: configOutcome(result).trimEnd().split('\n'), changes: result.changed };
}

function found<T>(item: T | undefined, otherwise: string): T {
  if (item === undefined) throw new CommandFailure(EXIT.notFound, otherwise);
  return item;
}

function lastLine(said: string): string {
  return said.trimEnd().split('\n').at(-1) ?? '';
}
