// What the dashboard asks of the world, done once each, and answered by actions. Nothing here changes traffic but `apply`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResultsView, RouteView } from '../../balancer/controller/api/views.ts';
import type { AdminClient } from '../client.ts';
import { complete, type LookUp, type NameKind } from '../complete.ts';
import { CommandFailure, ProblemFailure } from '../exit.ts';
import { type ActPlan, makeAct } from '../inside-acts.ts';
import { type InsideParts, runInside } from '../inside-command.ts';
import { namesOf, namesOnScreen } from '../known-names.ts';
import { copyText } from './clipboard.ts';
import { decodeHistory } from './decode-history.ts';
import { StatusUnreadable } from './decoders.ts';
import { SCREEN_WORDS } from './going.ts';
import { LastOne } from './last-one.ts';
import type { Action } from './model.ts';
import { headingOf, runbookSection } from './runbook.ts';
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
/** So long names that were asked for are taken for those there are. */
const NAMES_MS = 10_000;

type LineAsk = Extract<Ask, { readonly kind: 'line' }>;
type HistoryAsk = Extract<Ask, { readonly kind: 'history' }>;

export class Effects {
  readonly #parts: EffectParts;
  /** Whoever turns weights, moves through rows or through time waits for one answer at most. */
  readonly #previews = new LastOne<LineAsk>((ask) => this.#line(ask));
  readonly #histories = new LastOne<HistoryAsk>((ask) => this.#history(ask));
  /** Names that were asked for. */
  readonly #known = new Map<NameKind, { readonly atMs: number; readonly names: Promise<readonly string[]> }>();
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
        return ask.preview ? this.#previews.add('weights', ask) : this.#line(ask);
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
        dispatch({ type: 'said', text: `${await copyText(ask.text, { env, write })}: ${ask.text}`, ok: true });
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
        return this.#histories.add(ask.lane, ask);
      case 'runbook': {
        const lines = runbookSection(ask.code) ?? [`the runbook is not on this machine: docs/runbook.md#${headingOf(ask.code)} of weir`];
        dispatch({ type: 'told', title: ask.text, lines });
        return;
      }
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

  async #line({ number, words }: LineAsk): Promise<void> {
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

  /** By the names that are on the screen; others are asked for once in a while, not for each key. */
  async #complete(words: readonly string[]): Promise<readonly string[]> {
    const { groups, state } = this.#parts;
    const { latest } = state();
    const lookUp: LookUp = (kind, service) => {
      const known = latest === null ? [] : namesOnScreen(latest, kind, service);
      return known === null ? this.#names(kind) : Promise.resolve(known);
    };
    const screens = words.length === 1 ? SCREEN_WORDS.filter((word) => word.startsWith(words[0] ?? '')) : [];
    const [word = '', name = ''] = words;
    const about = words.length === 2 && (word === 'cluster' || word === 'service') ? await lookUp(`${word}s`, '') : [];
    const candidates = await complete(groups, words, lookUp);
    return [...new Set([...about.filter((each) => each.startsWith(name)), ...candidates, ...screens])];
  }

  #names(kind: NameKind): Promise<readonly string[]> {
    const { client, clock, env } = this.#parts;
    const known = this.#known.get(kind);
    if (known !== undefined && clock.nowMs() - known.atMs < NAMES_MS) return known.names;
    const names = namesOf(kind, { client, env }).catch(() => []);
    this.#known.set(kind, { atMs: clock.nowMs(), names });
    return names;
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

  async #history({ number, request }: HistoryAsk): Promise<void> {
    const { client, dispatch } = this.#parts;
    try {
      dispatch({ type: 'history', ask: number, series: decodeHistory(await client.history(request)), problem: null });
    } catch (error) {
      if (!(error instanceof CommandFailure) && !(error instanceof StatusUnreadable)) throw error;
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
