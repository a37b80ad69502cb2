// The cipher suites of TLS by their OpenSSL names: which are the default, which are known, which belong to which version.
import { getCiphers } from 'node:tls';

/**
 * Configuration "intermediate" of the server-side TLS guidelines that Mozilla began, version 6.0: suites with forward secrecy and
 * authenticated encryption only, in an order that the client may overrule.
 */
export const INTERMEDIATE_SUITES: readonly string[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** Suites that need a shared secret no listener has. */
const WITH_SHARED_SECRET = /PSK|SRP/;

/** What this build of OpenSSL can do with a certificate. It never changes within a process. */
const known: ReadonlySet<string> = new Set(
  getCiphers()
    .map((name) => name.toUpperCase())
    .filter((name) => !WITH_SHARED_SECRET.test(name)),
);

export const knownSuites = (): readonly string[] => [...known];

export const isSuite = (name: string): boolean => known.has(name);

/** They are of another kind, also by name: each fits every certificate and every key exchange. */
export const isSuiteOfTls13 = (name: string): boolean => name.startsWith('TLS_');
