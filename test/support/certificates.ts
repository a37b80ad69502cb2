// Certificates for tests, made by the openssl command: self-signed, authorities, and those an authority signed.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
  /** What it may be used for alone (RFC 5280 section 4.2.1.12), as openssl names it; absent: anything. */
  readonly usage?: 'serverAuth' | 'clientAuth';
  /** Name of the files without ending; default: the first name. */
  readonly file?: string;
  /** How long it is valid; default: 2. */
  readonly days?: number;
}

/** Makes a certificate and its key in `directory`. */
export function makeCertificate(
  directory: string,
  { names, ca, file, usage, days = 2, authority = ca === undefined }: CertificateWish,
): TestCertificate {
  const [first = 'localhost'] = names;
  const stem = file ?? first.replace(/[^A-Za-z0-9.-]/g, '_');
  const cert = join(directory, `${stem}.crt`);
  const key = join(directory, `${stem}.key`);
  const alternative = names.map((name) => (isIP(name) === 0 ? `DNS:${name}` : `IP:${name}`)).join(',');
  const signer = ca === undefined ? [] : ['-CA', ca.cert, '-CAkey', ca.key];
  const role = authority ? ['-addext', 'basicConstraints=critical,CA:TRUE'] : [];
  const purpose = usage === undefined ? [] : ['-addext', `extendedKeyUsage=${usage}`];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', `/CN=${first}`, '-addext', `subjectAltName=${alternative}`];
  const args = ['req', '-x509', ...curve, '-days', String(days), ...subject, ...signer, ...role, ...purpose, '-keyout', key, '-out', cert];
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  return { cert, key, pem: readFileSync(cert, 'utf8') };
}

export interface RevocationWish {
  readonly revoked: readonly TestCertificate[];
  /** When the list is out of date; default: in an hour. */
  readonly nextUpdate?: Date;
}

/** Writes the list of what `ca` has revoked to `file`, at once as a whole. */
export function makeRevocations(file: string, ca: TestCertificate, { revoked, nextUpdate = inHours(1) }: RevocationWish): void {
  const directory = mkdtempSync(`${file}-`);
  const [config, database, list] = ['config', 'index', 'list'].map((name) => join(directory, name)) as [string, string, string];
  const line = ({ pem }: TestCertificate): string =>
    ['R', stampOf(inHours(48)), stampOf(inHours(-1)), new X509Certificate(pem).serialNumber, 'unknown', '/CN=revoked'].join('\t');
  writeFileSync(config, `[ca]\ndefault_ca = list\n[list]\ndatabase = ${database}\ndefault_md = sha256\n`);
  writeFileSync(database, revoked.map((certificate) => `${line(certificate)}\n`).join(''));
  const times = ['-crl_lastupdate', stampOf(new Date(nextUpdate.getTime() - 24 * HOUR_MS)), '-crl_nextupdate', stampOf(nextUpdate)];
  const args = ['ca', '-gencrl', '-config', config, '-keyfile', ca.key, '-cert', ca.cert, ...times, '-out', list];
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  renameSync(list, file);
  rmSync(directory, { recursive: true });
}

const HOUR_MS = 3_600_000;
const inHours = (hours: number): Date => new Date(Date.now() + hours * HOUR_MS);
/** As certificates write it: YYMMDDHHMMSSZ. */
const stampOf = (date: Date): string => `${date.toISOString().slice(2, 19).replace(/\D/g, '')}Z`;
