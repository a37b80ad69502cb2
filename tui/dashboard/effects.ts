// What the dashboard asks of the world, done once each, and answered by actions. Nothing here changes traffic but `apply`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResultsView, RouteView } from '../../balancer/controller/api/views.ts';
import type { AdminClient } from '../client.ts';
import { complete, type LookUp } from '../complete.ts';
import { CommandFailure, ProblemFailure } from '../exit.ts';
import { type ActPlan, makeAct } from '../inside-acts.ts';
import { type InsideParts, runInside } from '../inside-command.ts';
import { decodeHistory } from './decode-history.ts';
import type { Action } from './model.ts';
import { readViews, saveView } from './saved-views.ts';
import type { Ask, DashboardState } from './state.ts';
import { cleanText } from './text.ts';

export interface EffectParts extends InsideParts {
  readonly client: AdminClient;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where exported rows go. */
  readonly directory: string;
  readonly state: () => DashboardState;
  readonly dispatch: (action: Action) => void;
  /** To the terminal itself: the clipboard is set by a sequence. */
  readonly write: (text: string) => void;
}

const WINDOW_SECONDS = 3600;
/** Points of a chart: more than a terminal has columns for. */
const HISTORY_POINTS = 240;

export class Effects {
  readonly #parts: EffectParts;
  /** One preview is under way at most; of those asked for meanwhile the last one follows. */
  #previewing = false;
  #nextPreview: Ask | null = null;
  /** Lines that run, by the number of who asks. */
  readonly #lines = new Map<number, AbortController>();

  constructor(parts: EffectParts) {
    this.#parts = parts;
  }

  /** Does what the state asks for and says what came of it. Never rejects for what can be expected to go wrong. */
  async perform(ask: Ask): Promise<void> {
    const { dispatch } = this.#parts;
    try {
      await this.#perform(ask);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      dispatch({ type: 'said', text: cleanText(error.message), ok: false });
    }
  }

  async #perform(ask: Ask): Promise<void> {
    const { client, dispatch, env, write } = this.#parts;
    switch (ask.kind) {
      case 'line':
        return ask.preview ? this.#preview(ask) : this.#line(ask);
      case 'apply':
        return this.#apply(ask);
      case 'make':
        return this.#make(ask);
      case 'leave':
        this.#lines.get(ask.of)?.abort();
        return;
      case 'complete':
        dispatch({ type: 'completed', ask: ask.number, candidates: await this.#complete(ask.words) });
        return;
      case 'copy':
        // OSC 52: the terminal puts it into the clipboard of whoever sits there, over ssh too.
        write(`\x1b]52;c;${Buffer.from(ask.text).toString('base64')}\x07`);
        dispatch({ type: 'said', text: `copied: ${ask.text}`, ok: true });
        return;
      case 'export':
        this.#export(ask);
        return;
      case 'results': {
        const asked = { windowSeconds: WINDOW_SECONDS, baseline: null };
        const [{ items }, routes] = await Promise.all([client.results(ask.service, asked), this.#routes(ask.service)]);
        if (items[0] !== undefined) dispatch({ type: 'results', results: cleaned(items[0]), routes });
        return;
      }
      case 'history':
        return this.#history(ask);
      case 'views':
        dispatch({ type: 'viewNames', names: [...readViews(env).keys()].sort() });
        return;
      case 'openView': {
        const view = readViews(env).get(ask.name);
        if (view !== undefined) dispatch({ type: 'view', view });
        return;
      }
      case 'saveView':
        saveView(env, ask.name, ask.view);
        dispatch({
          type: 'said',
          text: `saved as ${ask.name}; v shows the saved views, weir top --view ${ask.name} begins with it`,
          ok: true,
        });
        return;
    }
  }

  async #line({ number, words }: Extract<Ask, { readonly kind: 'line' }>): Promise<void> {
    const { dispatch } = this.#parts;
    const left = new AbortController();
    this.#lines.set(number, left);
    const tell = (text: string): void => {
      if (text !== '') dispatch({ type: 'says', ask: number, text: cleanText(text) });
    };
    const parts = { ...this.#parts, columns: this.#parts.state().size.columns - 4 };
    const outcome = await runInside(words, parts, { signal: left.signal, tell }).finally(() => this.#lines.delete(number));
    if (left.signal.aborted) return;
    switch (outcome.kind) {
      case 'act':
        dispatch({ type: 'actPlanned', ask: number, plan: cleanPlan(outcome.plan) });
        return;
      case 'change':
        dispatch({ type: 'planned', ask: number, request: outcome.request, result: outcome.result });
        return;
      case 'refused':
        dispatch({ type: 'unplanned', ask: number, message: cleanLines(outcome.message) });
        return;
      case 'printed':
        dispatch({ type: 'printed', ask: number, words, text: cleanLines(outcome.text), ok: outcome.ok });
        return;
    }
  }

  async #preview(ask: Extract<Ask, { readonly kind: 'line' }>): Promise<void> {
    this.#nextPreview = ask;
    if (this.#previewing) return;
    this.#previewing = true;
    try {
      for (let next = this.#takePreview(); next !== null; next = this.#takePreview()) await this.#line(next);
    } finally {
      this.#previewing = false;
    }
  }

  #takePreview(): Extract<Ask, { readonly kind: 'line' }> | null {
    const next = this.#nextPreview;
    this.#nextPreview = null;
    return next?.kind === 'line' ? next : null;
  }

  async #apply({ number, request, words }: Extract<Ask, { readonly kind: 'apply' }>): Promise<void> {
    const { client, dispatch } = this.#parts;
    try {
      dispatch({ type: 'applied', ask: number, words, result: await client.change(request) });
    } catch (error) {
      this.#unapplied(error, { number, words });
    }
  }

  /** Null: an older appliance does not tell them apart. */
  async #routes(service: string): Promise<DashboardState['routes']> {
    try {
      const { items } = await this.#parts.client.list<RouteView>('routes', { service });
      return { service: cleanText(service), items: items.map(cleanRoute) };
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      return null;
    }
  }

  async #make({ number, act, yes, words }: Extract<Ask, { readonly kind: 'make' }>): Promise<void> {
    const { client, dispatch } = this.#parts;
    try {
      dispatch({ type: 'done', ask: number, words, text: cleanText(await makeAct(act, client, yes)) });
    } catch (error) {
      this.#unapplied(error, { number, words });
    }
  }

  #unapplied(error: unknown, { number, words }: Pick<Extract<Ask, { readonly kind: 'apply' }>, 'number' | 'words'>): void {
    if (!(error instanceof CommandFailure)) throw error;
    const problem = error instanceof ProblemFailure ? error.problem : null;
    const question = problem?.code === 'confirm' ? cleanText(problem.question ?? problem.message) : null;
    this.#parts.dispatch({ type: 'unapplied', ask: number, words, message: cleanLines(error.message), question });
  }

  /** Nothing that runs is waited for any more. */
  close(): void {
    for (const line of this.#lines.values()) line.abort();
  }

  /** By the names that are on the screen: no question for each key. */
  async #complete(words: readonly string[]): Promise<readonly string[]> {
    const status = this.#parts.state().latest?.status;
    const lookUp: LookUp = (kind, service) => {
      if (status === undefined) return Promise.resolve([]);
      if (kind === 'clusters') return Promise.resolve(status.clusters.map(({ name }) => name));
      if (kind === 'services') return Promise.resolve(status.services.map(({ name }) => name));
      return Promise.resolve(Object.keys(status.services.find(({ name }) => name === service)?.split ?? {}));
    };
    return complete(this.#parts.groups, words, lookUp);
  }

  #export({ screen, rows }: Extract<Ask, { readonly kind: 'export' }>): void {
    const { directory, clock, dispatch, state } = this.#parts;
    const at = new Date(clock.wallMs()).toISOString();
    const file = join(directory, `weir-${screen}-${at.replace(/[:.]/g, '-')}.json`);
    const { filter, sort, reverse } = state().lists[screen];
    try {
      writeFileSync(file, `${JSON.stringify({ screen, at, filter, sort, reverse, rows }, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
      dispatch({ type: 'said', text: `written: ${file}`, ok: true });
    } catch (error) {
      dispatch({ type: 'said', text: `not written: ${error instanceof Error ? error.message : String(error)}`, ok: false });
    }
  }

  async #history({ number, of, beforeNowMs, histogram }: Extract<Ask, { readonly kind: 'history' }>): Promise<void> {
    const { client, clock, dispatch } = this.#parts;
    const toMs = clock.wallMs() - beforeNowMs;
    // As much as lies between then and now: what happened in an hour is looked at in an hour.
    const range = { from: new Date(toMs - beforeNowMs).toISOString(), to: new Date(toMs).toISOString() };
    const request = { series: of, ...range, points: HISTORY_POINTS, ...(histogram ? { histogram } : {}) };
    try {
      dispatch({ type: 'history', ask: number, series: decodeHistory(await client.history(request)), problem: null });
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      dispatch({ type: 'history', ask: number, series: null, problem: cleanText(error.message) });
    }
  }
}

function cleanRoute(route: RouteView): RouteView {
  return { ...route, name: cleanText(route.name), hosts: route.hosts.map((host) => cleanText(host)), path: cleanText(route.path) };
}

function cleanPlan(plan: ActPlan): ActPlan {
  return { ...plan, summary: cleanText(plan.summary), lines: plan.lines.map((line) => cleanText(line)), word: cleanText(plan.word) };
}

function cleanLines(text: string): string {
  return text
    .split('\n')
    .map((line) => cleanText(line).trimEnd())
    .join('\n');
}

function cleaned(results: ResultsView): ResultsView {
  const versions = results.versions.map((version) => ({ ...version, version: cleanText(version.version) }));
  return { ...results, service: cleanText(results.service), baseline: cleanText(results.baseline), versions };
}
