// The certificate of a run: self-signed for 127.0.0.1, made by the openssl command.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launch } from './processes.ts';

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** Certificate and key in one file. */
  readonly both: string;
}

/** Makes a P-256 certificate in `directory`. */
export async function makeCertificate(directory: string): Promise<CertificateFiles> {
  const files = { cert: join(directory, 'bench.crt'), key: join(directory, 'bench.key'), both: join(directory, 'bench.pem') };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const args = ['req', '-x509', ...curve, '-days', '2', ...names, '-keyout', files.key, '-out', files.cert];
  const running = await launch('openssl', args).catch(() => null);
  if (running === null) throw new Error('openssl is not installed: apt-get install openssl');
  await running.exited;
  try {
    await writeFile(files.both, (await readFile(files.cert, 'utf8')) + (await readFile(files.key, 'utf8')), { mode: 0o600 });
  } catch (error) {
    throw new Error(`openssl made no certificate. It said:\n${running.output()}`, { cause: error });
  }
  return files;
}
