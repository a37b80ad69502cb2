// What is on its way, part by part, as the API shows it.
import { MILLION } from '../config/config.ts';
import { dialNow, glidedIntent, openNow, openOf, withoutEndedGlides, type GlidingField } from '../intent/glide.ts';
import type { Intent } from '../intent/intent.ts';
import { pathOf } from '../intent/override.ts';
import type { GlideView } from './api/glide-view.ts';
import type { Edge } from './edge.ts';
import { fleetWallMs } from './fleet/fleet-time.ts';

export interface GlidesOf {
  readonly service: (name: string) => readonly GlideView[];
  readonly cluster: (name: string) => readonly GlideView[];
}

const NONE: readonly GlideView[] = [];

export function glidesOf(edge: Edge): GlidesOf {
  const wallMs = fleetWallMs(edge);
  const { intent } = edge;
  const underWay = Object.entries(withoutEndedGlides(intent, wallMs).glides ?? {});
  const moment = { stored: intent, now: glidedIntent(intent, wallMs), wallMs };
  const of = (isWanted: (field: GlidingField) => boolean): readonly GlideView[] => {
    if (underWay.length === 0) return NONE;
    return underWay.flatMap(([id, { since, overMs, fields }]) => {
      const untilMs = Date.parse(since) + overMs;
      const time = {
        ...{ revision: Number(id), since, until: new Date(untilMs).toISOString() },
        remainingSeconds: Math.max(0, Math.ceil((untilMs - wallMs) / 1000)),
      };
      return fields.filter(isWanted).flatMap((field) => {
        const name = pathOf(field).slice(1).join('.');
        return partsOf(field, moment).map((part) => ({ ...time, field: name, ...part }));
      });
    });
  };
  return {
    service: (name) => of((field) => 'service' in field && field.service === name),
    cluster: (name) => of((field) => 'cluster' in field && field.cluster === name),
  };
}

interface Moment {
  readonly stored: Intent;
  readonly now: Intent;
  readonly wallMs: number;
}

type Part = Pick<GlideView, 'name' | 'from' | 'now' | 'to'>;

/** Those that move. */
function partsOf(field: GlidingField, { stored, now, wallMs }: Moment): readonly Part[] {
  switch (field.kind) {
    case 'split':
      return partsOfWeights(field.from, now.services[field.service]?.split ?? {}, field.to);
    case 'clusterWeights':
      return partsOfWeights(field.from, now.services[field.service]?.clusterWeights[field.version] ?? {}, field.to);
    case 'dialPercent':
      return [{ name: field.cluster, from: field.from / 100, now: dialNow(stored, field.cluster, wallMs) / 100, to: field.to / 100 }];
    case 'admin':
      return [{ name: field.to, from: field.from, now: openNow(stored, field.cluster, wallMs), to: openOf(field.to) }];
  }
}

type Weights = Readonly<Record<string, number>>;

function partsOfWeights(from: Weights, now: Weights, to: Weights): readonly Part[] {
  const [had, has, gets] = [partIn(from), partIn(now), partIn(to)];
  return Object.keys(to)
    .map((name) => ({ name, from: had(name), now: has(name), to: gets(name) }))
    .filter((part) => part.from !== part.to);
}

function partIn(weights: Weights): (name: string) => number {
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  return (name) => (sum === 0 ? 0 : Math.round(((weights[name] ?? 0) * MILLION) / sum) / MILLION);
}
