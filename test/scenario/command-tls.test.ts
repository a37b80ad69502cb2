// The command over TLS: trust comes from the context file, and a certificate that is renewed is taken up while the server runs.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { createAdminApi } from '../../balancer/controller/api/server.ts';
import { silentLog } from '../../balancer/log.ts';
import { systemClock } from '../../health/clock.ts';
import { makeCertificate } from '../support/certificates.ts';
import { runWeir } from '../support/command.ts';
import { RecordingAppliance } from '../support/recording-appliance.ts';
import { until } from '../support/until.ts';

test('a renewed certificate is served without a restart, and only a trusted one is accepted', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-tls-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const ca = makeCertificate(directory, { names: ['ca'] });
  const first = makeCertificate(directory, { names: ['127.0.0.1'], ca, file: 'first' });
  const second = makeCertificate(directory, { names: ['127.0.0.1', 'second.example'], ca, file: 'second' });
  const served = { cert: join(directory, 'served.crt'), key: join(directory, 'served.key') };
  const serve = (from: typeof first): void => {
    copyFileSync(from.key, served.key);
    copyFileSync(from.cert, served.cert);
  };
  serve(first);
  const appliance = new RecordingAppliance();
  const bind = { host: '127.0.0.1', port: 0 };
  const socketPath = join(directory, 'admin.sock');
  const api = createAdminApi({ appliance, socketPath, bind, tls: served, clock: systemClock, log: silentLog });
  await api.start();
  t.after(() => api.close());
  const port = api.address()?.port ?? 0;

  mkdirSync(join(directory, 'weir'));
  writeFileSync(join(directory, 'weir/token'), appliance.secretFor('read'));
  const context = (ca: string) =>
    writeFileSync(join(directory, 'weir/config.yaml'), `server: https://127.0.0.1:${port}\ntokenFile: token\n${ca}`);
  const status = () => runWeir(['status'], { env: { XDG_CONFIG_HOME: directory } });
  context('');
  const distrusted = await status();
  assert.equal(distrusted.code, 3, distrusted.stderr);
  assert.match(distrusted.stderr, /its certificate is not trusted here: name its authority with `ca:` in the context file/);
  context('ca: ../ca.crt\n');
  const trusted = await status();
  assert.equal(trusted.code, 0, trusted.stderr);

  const names = async (): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port, ca: ca.pem });
    await once(socket, 'secureConnect');
    const text = socket.getPeerX509Certificate()?.subjectAltName ?? '';
    socket.destroy();
    return text;
  };
  assert.equal(await names(), 'IP Address:127.0.0.1');
  serve(second);
  await until(async () => (await names()).includes('second.example'), 'the renewed certificate is served');
  assert.equal((await status()).code, 0);
});
