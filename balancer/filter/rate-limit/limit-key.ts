// By what a request is counted.
import { isIPv6 } from 'node:net';
import type { LimitConfig, LimitKeyPart } from '../../config/limit-config.ts';
import { fieldValue } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import { claimAt, claimTexts } from '../authenticate/claims.ts';

/** Longer values share a counter by their beginning; a client must not choose how much is remembered of it. */
const MAX_LENGTH = 256;

/** Parts that nobody has proved are taken for the address: a client that leaves one out must not escape into a counter of its own. */
export function limitKey({ by }: LimitConfig, request: CanonicalRequest, route: string): string {
  if (by.length === 1 && by[0] !== undefined) return partOf(by[0], request, route);
  let key = '';
  for (const part of by) key += `${partOf(part, request, route)}\n`;
  return key;
}

function partOf(part: LimitKeyPart, request: CanonicalRequest, route: string): string {
  switch (part.kind) {
    case 'address':
      return addressOf(request);
    case 'route':
      return route;
    case 'host':
      return request.host;
    case 'consumer': {
      const consumer = request.identity?.consumer ?? '';
      return consumer === '' ? addressOf(request) : `=${consumer}`;
    }
    case 'header':
      return valueOr(fieldValue(request.fields, part.name), request);
    case 'claim': {
      const claims = request.identity?.claims ?? null;
      return valueOr(claims === null ? undefined : claimTexts(claimAt(claims, part.name))[0], request);
    }
  }
}

const valueOr = (value: string | undefined, request: CanonicalRequest): string =>
  value === undefined ? addressOf(request) : `=${value.slice(0, MAX_LENGTH)}`;

/** Of IPv6 the first half: that is what one client has. */
function addressOf({ clientAddress }: CanonicalRequest): string {
  return clientAddress.includes(':') && isIPv6(clientAddress) ? networkOf(clientAddress) : clientAddress;
}

function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const groups = tail === undefined ? before : [...before, ...gap, ...after];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':');
}
