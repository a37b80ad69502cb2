// Certificates for tests, made by the openssl command: self-signed, authorities, and those an authority signed.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';

/** Paths of PEM files, as a config names them. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  /** The text of `cert`. */
  readonly pem: string;
}

export interface CertificateWish {
  /** DNS names and addresses it is valid for; the first also names its files. */
  readonly names: readonly string[];
  /** Who signs it; absent: itself, and it may then sign others. */
  readonly ca?: TestCertificate;
  /** Whether one that is signed by `ca` may itself sign others. */
  readonly authority?: boolean;
  /** Name of the files without ending; default: the first name. */
  readonly file?: string;
}

/** Makes a certificate and its key in `directory`. */
export function makeCertificate(directory: string, { names, ca, file, authority = ca === undefined }: CertificateWish): TestCertificate {
  const [first = 'localhost'] = names;
  const stem = file ?? first.replace(/[^A-Za-z0-9.-]/g, '_');
  const cert = join(directory, `${stem}.crt`);
  const key = join(directory, `${stem}.key`);
  const alternative = names.map((name) => (isIP(name) === 0 ? `DNS:${name}` : `IP:${name}`)).join(',');
  const signer = ca === undefined ? [] : ['-CA', ca.cert, '-CAkey', ca.key];
  const role = authority ? ['-addext', 'basicConstraints=critical,CA:TRUE'] : [];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', `/CN=${first}`, '-addext', `subjectAltName=${alternative}`];
  const args = ['req', '-x509', ...curve, '-days', '2', ...subject, ...signer, ...role, '-keyout', key, '-out', cert];
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  return { cert, key, pem: readFileSync(cert, 'utf8') };
}
