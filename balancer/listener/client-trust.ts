// Who may sign certificates of clients, and which of those they signed count no more: two files, read together.
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { ClientCertificates } from '../config/config.ts';
import { NO_REVOCATIONS, parseRevocations, type Revocations } from './revocations.ts';

export interface ClientTrust {
  /** Changes when a file does; compared, never parsed. */
  readonly stamp: string;
  readonly authorities: Buffer;
  readonly revocations: Revocations;
}

const filesOf = ({ ca, crl }: ClientCertificates): readonly string[] => (crl === null ? [ca] : [ca, crl]);

/** Throws when a file is not there. */
export const trustStamp = (rules: ClientCertificates): string => stampOf(filesOf(rules));

/** Throws an Error that names the file that cannot be used. */
export function readTrust(rules: ClientCertificates): ClientTrust {
  const stamp = trustStamp(rules);
  const revocations = rules.crl === null ? NO_REVOCATIONS : readRevocations(rules.crl);
  return { stamp, authorities: readAuthorities(rules.ca), revocations };
}

export function stampOf(files: readonly string[]): string {
  return files
    .map((path) => {
      const { mtimeMs, size, ino } = statSync(path);
      return `${mtimeMs}/${size}/${ino}`;
    })
    .join(' ');
}

function readAuthorities(file: string): Buffer {
  const pem = readFileSync(file);
  try {
    // OpenSSL takes a file without any certificate for one that trusts nobody, and says nothing.
    new X509Certificate(pem);
  } catch (error) {
    throw new Error(`authorities of client certificates ${file} cannot be used: no certificate can be read; expected a PEM file of them`, {
      cause: error,
    });
  }
  return pem;
}

function readRevocations(file: string): Revocations {
  try {
    return parseRevocations(readFileSync(file, 'latin1'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`revoked client certificates ${file} cannot be used: ${reason}`, { cause: error });
  }
}
