// What a way to prove who calls is: it looks for its own kind of credentials and says whose they are.
import type { ConfigExtension } from '../../config/extension.ts';
import type { Identity } from '../../message/identity.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { Filter, FilterEnvironment, Refusal } from '../filter.ts';

/** Whose they are; why they are not good; null: the request has none of this kind. */
export type Proof = Identity | Refusal | null;

export interface AuthenticationMethod {
  /** For `www-authenticate` (RFC 9110 section 11.6.1), such as `Basic realm="shop"`. */
  readonly challenge: string;
  /** Looks at the request only. A promise only where the answer cannot be known at once; it must settle. */
  prove(request: CanonicalRequest): Proof | Promise<Proof>;
  /** Takes the credentials out of a request that goes on, and leaves what the cluster is told instead; its identity is known by then. */
  conceal(request: CanonicalRequest): void;
  /** Fields by which it tells the cluster something, in lower case. */
  readonly ownFields?: readonly string[];
  /** Where what it has proved holds for one body only: throws a WeirError when another one comes. */
  readonly onRequestBody?: NonNullable<Filter['onRequestBody']>;
}

/** The entry of a method in the registry. */
export interface AuthenticationMethodDefinition extends ConfigExtension {
  /** Whether by these options, which may be absent, something of a caller is good once. */
  readonly usesOnce?: (options: unknown) => boolean;
  /** As of a filter. */
  create(options: unknown, environment: FilterEnvironment): AuthenticationMethod;
}

export const isRefusal = (proof: Identity | Refusal): proof is Refusal => 'code' in proof;

/** Credentials that came and are not good; what is wrong with them is for the log only. */
export function invalidCredentials(detail: string, challenge: string): Refusal {
  return { code: 'credentials_invalid', detail, fields: ['www-authenticate', challenge] };
}

/** More than one where one is expected: two parts of a system could take different ones for the caller's. */
export function ambiguousCredentials(detail: string, challenge: string): Refusal {
  return { code: 'credentials_ambiguous', detail, fields: ['www-authenticate', challenge] };
}
