// From the claims of a token that was checked to who calls.
import type { IssuerConfig } from '../../config/issuer-config.ts';
import type { Identity } from '../../message/identity.ts';
import { claimAt, claimTexts } from './claims.ts';
import type { Consumers } from './consumers.ts';
import type { Claims } from './issuer.ts';

export interface Proved {
  /** As it stands in `Identity.method`. */
  readonly method: string;
  readonly issuer: Pick<IssuerConfig, 'name' | 'consumerClaim' | 'groupsClaim' | 'scopeClaim'>;
  readonly claims: Claims;
  /** Besides those of the claims. */
  readonly scopes?: readonly string[];
}

export function identityOf({ method, issuer, claims, scopes: granted = [] }: Proved, consumers: Pick<Consumers, 'findSubject'>): Identity {
  const subject = claimTexts(claimAt(claims, issuer.consumerClaim))[0];
  const consumer = subject === undefined ? null : consumers.findSubject(subject);
  const groups = issuer.groupsClaim === null ? [] : claimTexts(claimAt(claims, issuer.groupsClaim));
  const scopes = claimTexts(claimAt(claims, issuer.scopeClaim)).flatMap((text) => text.split(' ').filter((scope) => scope !== ''));
  return {
    consumer: consumer?.name ?? '',
    method,
    credential: issuer.name,
    groups: [...new Set([...(consumer?.groups ?? []), ...groups])],
    scopes: [...new Set([...(consumer?.scopes ?? []), ...scopes, ...granted])],
    claims,
  };
}
