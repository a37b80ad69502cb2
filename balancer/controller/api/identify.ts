// Who calls, established before a byte of the body is read: the owner of the socket file, or the holder of a token.
import type { IncomingMessage } from 'node:http';
import { isIP, isIPv4 } from 'node:net';
import type { Bind } from '../../config/config.ts';
import type { Appliance, Caller } from '../appliance.ts';
import type { FailureLimit } from './failure-limit.ts';
import { type Failure, failure, usageFailure } from './problem.ts';
import { CLAIM } from './schemas.ts';

/** Over which of the two servers a request came. */
export type Origin = 'socket' | 'network';

export type Identified = { readonly ok: true; readonly caller: Caller } | { readonly ok: false; readonly failure: Failure };

/** The header a caller on the socket gives its name in. */
export const CLAIMS_HEADER = 'weir-claims';

/**
 * A caller on the socket: whoever may open the file (0600) is the owner or root, and Node cannot read which user it is,
 * so the name is recorded as a claim.
 */
export function identifyLocal(claims: string | null): Identified {
  if (claims === null) return local('unknown');
  if (!CLAIM.test(claims)) {
    return { ok: false, failure: usageFailure('claims: expected a user name of up to 64 letters, digits and _ . @ \\ -') };
  }
  return local(claims);
}

function local(name: string): Identified {
  return { ok: true, caller: { author: { name, how: `local, claims ${name}` }, role: 'admin' } };
}

/** Who the token of a request stands for now; null: there is none, or it is valid no more. */
export function bearerOf(request: IncomingMessage, appliance: Appliance): Caller | null {
  const secret = /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return secret === undefined ? null : appliance.authenticate(secret);
}

/** A caller on the network: `authorization: Bearer TOKEN`. */
export function identifyBearer(request: IncomingMessage, appliance: Appliance, limit: FailureLimit): Identified {
  const caller = bearerOf(request, appliance);
  if (caller !== null) return { ok: true, caller };
  const waitSeconds = limit.failed(request.socket.remoteAddress ?? '');
  if (waitSeconds > 0) {
    const message = `too many requests without a valid token from this address; try again in ${waitSeconds} s`;
    return { ok: false, failure: { ...failure({ code: 'unauthorized', message }, 429), retryAfterSeconds: waitSeconds } };
  }
  const message =
    request.headers.authorization === undefined
      ? 'a token is needed here: set WEIR_TOKEN or WEIR_TOKEN_FILE, or make one on the host with `weir token create NAME --role read`'
      : 'the token is not valid: it may be mistyped, expired or revoked; `weir token list` on the host shows those that are';
  return { ok: false, failure: failure({ code: 'unauthorized', message }) };
}

/**
 * The guard against DNS rebinding: a page in a browser on this host can make its own name resolve to 127.0.0.1, but the Host field
 * then carries that name. A server on loopback therefore answers to loopback names only.
 */
export function hostRefusal(host: string | undefined, bind: Bind): Failure | null {
  if (!isLoopback(bind.host)) return null;
  const name = /^(\[[^\]]+\]|[^:]*)(?::\d+)?$/.exec(host ?? '')?.[1]?.toLowerCase() ?? '';
  const bare = name.replace(/^\[|\]$/g, '');
  if (bare === bind.host || isLoopback(bare)) return null;
  const message = `this server listens on loopback only and does not answer to the name ${JSON.stringify(name)}; use localhost or ${bind.host}`;
  return failure({ code: 'forbidden', message }, 421);
}

/** 127.0.0.0/8, ::1 and the name `localhost` (RFC 6761). */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return host === 'localhost';
  return isIPv4(host) ? host.startsWith('127.') : host === '::1';
}
