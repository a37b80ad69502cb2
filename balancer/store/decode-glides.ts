// What is on its way, as the store keeps it.
import type { Glide, Glides, GlidingField } from '../intent/glide.ts';
import { list, members, number, oneOf, record, string } from './decode-parts.ts';

const ADMIN_STATES = ['active', 'drain', 'maintenance'] as const;

export function decodeGlides(value: unknown, path: string): Glides {
  return record(glide)(value, path);
}

function glide(value: unknown, path: string): Glide {
  const of = members(value, path);
  return {
    since: string(of['since'], `${path}.since`),
    overMs: number(of['overMs'], `${path}.overMs`),
    fields: list(field)(of['fields'], `${path}.fields`),
  };
}

function field(value: unknown, path: string): GlidingField {
  const of = members(value, path);
  const kind = oneOf(['split', 'clusterWeights', 'admin', 'dialPercent'], of['kind'], `${path}.kind`);
  const [from, to] = [of['from'], of['to']];
  const numbers = record(number);
  const name = (member: 'service' | 'version' | 'cluster') => string(of[member], `${path}.${member}`);
  switch (kind) {
    case 'split':
      return { kind, service: name('service'), from: numbers(from, `${path}.from`), to: numbers(to, `${path}.to`) };
    case 'clusterWeights':
      return {
        ...{ kind, service: name('service'), version: name('version') },
        ...{ from: numbers(from, `${path}.from`), to: numbers(to, `${path}.to`) },
      };
    case 'admin':
      return { kind, cluster: name('cluster'), from: number(from, `${path}.from`), to: oneOf(ADMIN_STATES, to, `${path}.to`) };
    case 'dialPercent':
      return { kind, cluster: name('cluster'), from: number(from, `${path}.from`), to: number(to, `${path}.to`) };
  }
}
