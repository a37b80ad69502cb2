// Issuers of tokens as every other part reads them: whose tokens are believed, and by which keys they are checked.
import type { SecretReference } from './config.ts';

/** Where the keys of an issuer come from. */
export type IssuerKeys =
  /** Fetched and kept fresh by the controller; `ca` is an absolute path, null: the authorities of the system. */
  | {
      readonly kind: 'url';
      readonly url: string;
      readonly ca: string | null;
      /** The document of this issuer is there (OpenID Connect Discovery 1.0), and says where the keys are; absent: the keys are. */
      readonly discovers?: string;
    }
  /** Absolute path of a JSON Web Key Set; read with each config. */
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'secret'; readonly secret: SecretReference };

export const ASYMMETRIC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'],
  ...['EdDSA', 'Ed25519'],
] as const;
export const SYMMETRIC_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;

/** Whether whoever checks what it signs could sign too. */
export const isSymmetric = (algorithm: string): boolean => SYMMETRIC_ALGORITHMS.some((one) => one === algorithm);

export interface IssuerConfig {
  readonly name: string;
  /** The claim `iss`, exactly. */
  readonly issuer: string;
  /** The claim `aud` must hold one of them; empty: any. */
  readonly audiences: readonly string[];
  readonly keys: IssuerKeys;
  readonly algorithms: readonly string[];
  /** How far the clocks may be apart. */
  readonly leewayMs: number;
  /** The header `typ`; null: any. */
  readonly type: string | null;
  readonly consumerClaim: string;
  readonly scopeClaim: string;
  /** Null: groups come from the consumer alone. */
  readonly groupsClaim: string | null;
}
