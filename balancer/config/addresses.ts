// Addresses as people write them: binds, CIDR blocks, endpoint URLs, host patterns, ranges of status codes.
import { isIP } from 'node:net';
import type { Bind, EndpointConfig, StatusRange } from './config.ts';

const HOST_NAME = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;
const MAX_HOST_LENGTH = 253;
/** Null: there is none, the URL names it. */
const DEFAULT_PORTS = { http: 80, https: 443, h2c: 80, tcp: null } as const;

/** `0.0.0.0:8080`, `[::]:8080`, `localhost:0`; port 0: any free one. */
export function parseBind(value: unknown): Bind | null {
  const [, host, v6, port] = typeof value === 'string' ? (/^(?:([A-Za-z0-9.]+)|\[([0-9A-Fa-f:.]+)\]):([0-9]{1,5})$/.exec(value) ?? []) : [];
  if (port === undefined || Number(port) > 65_535) return null;
  if (v6 !== undefined) return isIP(v6) === 6 ? { host: v6, port: Number(port) } : null;
  return host !== undefined && (isIP(host) === 4 || host === 'localhost') ? { host, port: Number(port) } : null;
}

/** A host that is connected to, and its port: `redis.internal:6379`, `[::1]:6379`. */
export function parseNetworkPlace(value: unknown): Bind | null {
  const [, host, port] = typeof value === 'string' ? (/^(\[[^\]]*\]|[^:]*):([0-9]{1,5})$/.exec(value) ?? []) : [];
  if (host === undefined || !isHost(host) || Number(port) > 65_535 || Number(port) === 0) return null;
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/** Whether only this machine reaches it. */
export function isLoopback(bind: Bind): boolean {
  return bind.host === 'localhost' || bind.host === '::1' || (isIP(bind.host) === 4 && bind.host.startsWith('127.'));
}

/** Whether both cannot be bound at once. A wildcard takes the port of every address; `::` takes IPv4 with it. */
export function bindsCollide(a: Bind, b: Bind): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  const [one, other] = [loopbackName(a.host), loopbackName(b.host)];
  if (one === other || one === '::' || other === '::') return true;
  return (one === '0.0.0.0' && isIP(other) === 4) || (other === '0.0.0.0' && isIP(one) === 4);
}

const loopbackName = (host: string): string => (host === 'localhost' ? '127.0.0.1' : host);

/** `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`. */
export function isAddressBlock(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const [address = '', prefix, ...rest] = value.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%')) return false;
  return prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

/** A name or an address without port. */
export function isHost(value: string): boolean {
  return value.length <= MAX_HOST_LENGTH && (HOST_NAME.test(value) || isBracketed(value));
}

const isBracketed = (value: string): boolean => value.startsWith('[') && value.endsWith(']') && isIP(value.slice(1, -1)) === 6;

/** `shop.example.com`, `*.example.com`, `192.0.2.7`, `[2001:db8::1]`. */
export function isHostPattern(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  return value.startsWith('*.') ? HOST_NAME.test(value.slice(2)) && value.length <= MAX_HOST_LENGTH : isHost(value);
}

/** A host with an optional port, as it goes into a Host field. */
export function isAuthority(value: unknown): boolean {
  const [, host, port] = typeof value === 'string' ? (/^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$/.exec(value) ?? []) : [];
  return host !== undefined && isHost(host) && (port === undefined || Number(port) <= 65_535);
}

/** `https://10.1.0.10`, `http://gateway.internal:8080`, `h2c://10.1.0.10:8080`, `tcp://10.1.0.10:5432`; null when it is no such URL. */
export function parseEndpoint(value: unknown): EndpointConfig | null {
  const [, scheme, host, port] =
    typeof value === 'string' ? (/^(https?|h2c|tcp):\/\/(\[[^\]]*\]|[^:/?#@]+)(?::([0-9]{1,5}))?\/?$/.exec(value) ?? []) : [];
  if (host === undefined || !isHost(host) || (scheme !== 'http' && scheme !== 'https' && scheme !== 'h2c' && scheme !== 'tcp')) return null;
  const portNumber = port === undefined ? DEFAULT_PORTS[scheme] : Number(port);
  if (portNumber === null || portNumber < 1 || portNumber > 65_535) return null;
  const name = host.toLowerCase();
  return { id: `${name}:${portNumber}`, scheme, host: name.startsWith('[') ? name.slice(1, -1) : name, port: portNumber };
}

/** `200`, `200-399`, or a list of both. */
export function parseStatuses(value: unknown): readonly StatusRange[] | null {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const ranges = parts.map(parseStatusRange);
  const valid = ranges.filter((range) => range !== null);
  return valid.length > 0 && valid.length === parts.length ? valid : null;
}

function parseStatusRange(value: unknown): StatusRange | null {
  const text = typeof value === 'number' ? String(value) : value;
  const [, from, to] = typeof text === 'string' ? (/^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(text) ?? []) : [];
  if (from === undefined) return null;
  const range = { from: Number(from), to: Number(to ?? from) };
  return range.from <= range.to ? range : null;
}

/** Whether a URL is asked without TLS over a network. */
export function isInTheClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !isLoopback({ host: hostname.replace(/^\[|\]$/g, ''), port: 0 });
}
