// Takes changes back: the last one of an operator, or everything since a revision. Always as a new revision on top.
import { conclude, type Applied, type ChangeOutcome } from './apply-change.ts';
import { CALLERS } from './callers.ts';
import { canonicalJson } from '../config/canonical-json.ts';
import { diffIntent, fieldsOf, GLIDES, PURGES, RELEASES, restoreFields } from './diff.ts';
import type { Intent, Refusal, Revision, TouchedField } from './intent.ts';
import { fieldAt, sameMeaning } from './override.ts';
import { formatPercent } from './percent.ts';
import type { Facts } from './safety.ts';
import { TOKENS } from './tokens.ts';

export interface History {
  /** Newest first; read only as far as needed. */
  readonly revisions: Iterable<Revision>;
  /** The intent as it was at a revision; null when there was none. */
  readonly intentAt: (revision: number) => Intent | null;
}

export interface UndoAsked {
  /** Null: the last one is taken back. */
  readonly to: number | null;
  /** What it sets comes little by little; absent: at once. */
  readonly overMs?: number | undefined;
}

interface Manner {
  readonly facts: Facts;
  readonly overMs: number | undefined;
}

export type UndoOutcome = (Applied & { readonly undoes: number }) | Extract<ChangeOutcome, { readonly ok: false }>;

/**
 * Without `to`: reverts the last operator revision, field by field; an undo is such a revision too, so undoing it brings the change
 * back. Stops when a later revision touched the same fields. With `to`: every split, weight, admin state and dial is again what it
 * was at that revision. What the file says, and what it has since added, stays.
 */
export function undo(intent: Intent, { to, overMs }: UndoAsked, history: History, facts: Facts): UndoOutcome {
  return to === null ? undoLast(intent, history, { facts, overMs }) : restore(intent, to, history, { facts, overMs });
}

/** Takes back the last operator revision if that was an undo; anything else was not undone. */
export function redo(intent: Intent, history: History, facts: Facts, overMs?: number): UndoOutcome {
  return undoLast(intent, history, { facts, overMs }, ({ revision, change }) =>
    change?.kind === 'undo'
      ? null
      : `there is nothing to redo: the last change of an operator, revision ${revision}, was no undo; weir undo --to REVISION goes to any revision`,
  );
}

/** `unfit`: why the last one is not to be taken back; null: it is. */
function undoLast(intent: Intent, history: History, manner: Manner, unfit: (last: Revision) => string | null = () => null): UndoOutcome {
  const later: Revision[] = [];
  for (const revision of history.revisions) {
    if (revision.source !== 'operator' || cannotBeTakenBack(revision)) {
      later.push(revision);
      continue;
    }
    const problem = unfit(revision) ?? goneForGood(revision);
    if (problem !== null) return notFound(problem);
    const conflict = findConflict(revision, later);
    if (conflict !== null) return { ok: false, refusal: conflict };
    const from = history.intentAt(revision.revision - 1);
    if (from === null)
      return notFound(`the intent before revision ${revision.revision} is not in the store any more; weir history shows what is`);
    const paths = new Set(revision.touched.map(({ path }) => canonicalJson(path)));
    const summary = `took back revision ${revision.revision}`;
    return end(intent, restoreFields(intent, from, paths), manner, { undoes: revision.revision, summary, exact: false });
  }
  return notFound('there is nothing to undo: no operator has changed anything yet');
}

/** Null: it can come back. A key that was revoked may be in the wrong hands. */
function goneForGood({ revision, touched, change }: Revision): string | null {
  if (change?.kind !== 'key_revoke' && change?.kind !== 'consumer_remove') return null;
  const gone = touched.filter(({ path, after }) => path[0] === CALLERS && after === null);
  const named = gone.map(({ path }) => path.at(-1)).join(', ');
  return `revision ${revision} took away ${named}, and what was taken from callers does not come back by itself; issue a new key: weir consumer credential issue NAME`;
}

/** Requests have gone to what was released, what was purged is gone, and who may act is nothing that goes back with the traffic. */
function cannotBeTakenBack({ touched }: Revision): boolean {
  return touched.length > 0 && touched.every(({ path }) => path.at(-1) === RELEASES || path[0] === PURGES || path[0] === TOKENS);
}

function restore(intent: Intent, to: number, history: History, manner: Manner): UndoOutcome {
  const from = history.intentAt(to);
  if (from === null) return notFound(`there is no revision ${to}; the newest is ${intent.revision}, weir history shows the others`);
  // Callers stay: whoever goes back for the sake of traffic must not lock out those who came since, nor let in those who had to leave.
  const fields = [...fieldsOf(intent), ...fieldsOf(from)].filter(([, { path }]) => path[0] !== CALLERS && path[0] !== TOKENS);
  const paths = new Set(fields.map(([key]) => key));
  const done = { undoes: intent.revision, summary: `back to revision ${to}`, exact: manner.overMs === undefined };
  return end(intent, restoreFields(intent, from, paths), manner, done);
}

function end(
  intent: Intent,
  restored: Intent,
  { facts, overMs }: Manner,
  { summary, undoes, exact }: { readonly undoes: number; readonly summary: string; readonly exact: boolean },
): UndoOutcome {
  const fitted = fit(restored, facts);
  if ('message' in fitted) return { ok: false, refusal: fitted };
  // Without a time of its own, what was on its way then is again where it would be by now.
  const fields = overMs === undefined ? [] : diffIntent(intent, fitted).map(({ path }) => fieldAt(path));
  const sets = fields.filter((field) => field !== null);
  const outcome = conclude(intent, fitted, facts, { summary, strictness: 'other', sets, overMs, exact });
  return outcome.ok ? { ...outcome, undoes } : outcome;
}

/** What the config has now, with what it had then: what left the file must not come back with a share, what came gets 0. */
export function fit(restored: Intent, facts: Facts): Intent | Refusal {
  const services = { ...restored.services };
  for (const service of Object.values(facts.services)) {
    const present = services[service.name];
    if (present === undefined) continue;
    const names = service.versions.map(({ name }) => name);
    const gone = Object.entries(present.split).find(([name, share]) => share > 0 && !names.includes(name));
    if (gone !== undefined) {
      return conflict(
        `version "${gone[0]}" of service "${service.name}" had ${formatPercent(gone[1])} % then, but the config no longer has it; ` +
          `put it back into the config (weir config apply), or shift to what you want (weir shift ${service.name} VERSION=PERCENT)`,
      );
    }
    const clusterWeights: Record<string, Readonly<Record<string, number>>> = {};
    for (const { name, placements } of service.versions) {
      const then = present.clusterWeights[name] ?? {};
      clusterWeights[name] = Object.fromEntries(placements.map(({ cluster }) => [cluster, then[cluster] ?? 0]));
      const left = Object.keys(then).find(
        (cluster) => (then[cluster] ?? 0) > 0 && !placements.some((placement) => placement.cluster === cluster),
      );
      if (left !== undefined) {
        return conflict(
          `version "${name}" of service "${service.name}" ran in cluster "${left}" then, but the config no longer places it there; ` +
            `put the cluster back into the config (weir config apply), or set the weights you want (weir shift ${service.name} --clusters CLUSTER=PERCENT)`,
        );
      }
    }
    services[service.name] = {
      ...present,
      split: Object.fromEntries(names.map((name) => [name, present.split[name] ?? 0])),
      clusterWeights,
    };
  }
  return { ...restored, services };
}

/** The revisions after `target` that changed what it changed; a version that came or went at 0 changed nothing of a split. */
function findConflict(target: Revision, later: readonly Revision[]): Refusal | null {
  const touched = new Set(target.touched.map(({ path }) => canonicalJson(path)));
  const clashes = later.flatMap((revision) =>
    revision.touched
      .filter((field) => field.path[0] !== GLIDES && touched.has(canonicalJson(field.path)) && changesMeaning(field))
      .map(({ path }) => `revision ${revision.revision} by ${revision.author.name} changed ${path.join('.')}`),
  );
  if (clashes.length === 0) return null;
  return conflict(
    `revision ${target.revision} cannot be taken back alone, because what it changed was changed again: ${clashes.join('; ')}; ` +
      `go back to all of it (weir undo --to ${target.revision - 1}), or set what you want (weir shift, weir dial, weir drain, weir restore)`,
  );
}

function changesMeaning({ before, after }: TouchedField): boolean {
  return !sameMeaning(before, after);
}

function conflict(message: string): Refusal {
  return { kind: 'conflict', message };
}

function notFound(message: string): UndoOutcome {
  return { ok: false, refusal: { kind: 'not_found', message } };
}
