// Callers as they are stored, read back: a record that does not fit is told, never half used.
import type { CallerChange, Callers, StoredConsumer, StoredKey } from '../intent/callers.ts';
import { list, members, nullable, record, string } from './decode-parts.ts';

export function decodeCallers(value: unknown, path: string): Callers {
  const of = members(value, path);
  return {
    ...(of['consumers'] === undefined ? {} : { consumers: record(consumer)(of['consumers'], `${path}.consumers`) }),
    ...(of['keys'] === undefined ? {} : { keys: record(key)(of['keys'], `${path}.keys`) }),
  };
}

const texts = list(string);

function consumer(value: unknown, path: string): StoredConsumer {
  const of = members(value, path);
  return {
    groups: texts(of['groups'], `${path}.groups`),
    scopes: texts(of['scopes'], `${path}.scopes`),
    tags: texts(of['tags'], `${path}.tags`),
    plan: string(of['plan'], `${path}.plan`),
  };
}

function key(value: unknown, path: string): StoredKey {
  const of = members(value, path);
  return {
    consumer: string(of['consumer'], `${path}.consumer`),
    hash: string(of['hash'], `${path}.hash`),
    issuedAt: string(of['issuedAt'], `${path}.issuedAt`),
    expiresAt: nullable(string)(of['expiresAt'], `${path}.expiresAt`),
    from: texts(of['from'], `${path}.from`),
    scopes: texts(of['scopes'], `${path}.scopes`),
  };
}

export function decodeCallerChange(kind: CallerChange['kind'], of: Readonly<Record<string, unknown>>, path: string): CallerChange {
  const text = (name: string): string => string(of[name], `${path}.${name}`);
  const named = { consumer: text('consumer') };
  switch (kind) {
    case 'consumer_add':
      return { kind, ...named, profile: consumer(of['profile'], `${path}.profile`) };
    case 'consumer_set':
      return { kind, ...named, profile: someOf(of['profile'], `${path}.profile`) };
    case 'consumer_remove':
      return { kind, ...named };
    case 'key_revoke':
      return { kind, ...named, id: text('id') };
    case 'key_issue': {
      const time = (name: string): string | null => nullable(string)(of[name], `${path}.${name}`);
      const lists = { from: texts(of['from'], `${path}.from`), scopes: texts(of['scopes'], `${path}.scopes`) };
      return {
        kind,
        ...named,
        id: text('id'),
        hash: text('hash'),
        expiresAt: time('expiresAt'),
        ...lists,
        othersExpireAt: time('othersExpireAt'),
      };
    }
  }
}

function someOf(value: unknown, path: string): Partial<StoredConsumer> {
  const of = members(value, path);
  const words = (name: 'groups' | 'scopes' | 'tags'): Partial<StoredConsumer> =>
    of[name] === undefined ? {} : { [name]: texts(of[name], `${path}.${name}`) };
  return {
    ...words('groups'),
    ...words('scopes'),
    ...words('tags'),
    ...(of['plan'] === undefined ? {} : { plan: string(of['plan'], `${path}.plan`) }),
  };
}
