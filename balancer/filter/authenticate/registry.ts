// The list of ways to prove who calls. Its order is the order in which they are tried: what is cheap and cannot be mistaken comes first.
import { basic } from './basic.ts';
import { certificate } from './certificate.ts';
import { hmac } from './hmac.ts';
import { introspection } from './introspection.ts';
import { jwt } from './jwt.ts';
import { key } from './key.ts';
import type { AuthenticationMethodDefinition } from './method.ts';
import { signature } from './signature.ts';

export const METHODS: readonly AuthenticationMethodDefinition[] = [certificate, key, hmac, signature, jwt, introspection, basic];
