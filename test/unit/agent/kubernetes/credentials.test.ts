// Who the agent is: files that are replaced while it runs, programs that log in, and kubeconfig files that are not in order.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FileCredentials } from '../../../../agent/kubernetes/credentials.ts';
import { ExecCredentials, type ExecPlugin } from '../../../../agent/kubernetes/exec-plugin.ts';
import { inClusterAccess, isInCluster, kubeconfigAccess } from '../../../../agent/kubernetes/kubeconfig.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const SERVICE_ACCOUNT = { tokenFile: '/sa/token', caFile: '/sa/ca.crt', certFile: null, keyFile: null };

class Files {
  readonly texts = new Map<string, string>([
    ['/sa/token', 'one\n'],
    ['/sa/ca.crt', 'CA'],
  ]);
  readonly readText = (path: string): string => {
    const text = this.texts.get(path);
    if (text === undefined) throw new Error(`ENOENT ${path}`);
    return text;
  };
}

describe('the token of a pod', () => {
  const start = () => {
    const [clock, files] = [new ManualClock(), new Files()];
    const credentials = new FileCredentials(SERVICE_ACCOUNT, {}, { clock, readText: files.readText });
    const token = async (): Promise<string | null> => (await credentials.access()).authorization;
    return { clock, files, credentials, token };
  };

  test('is read again after a minute, and at once when it was refused', async () => {
    const { clock, files, credentials, token } = start();
    assert.equal(await token(), 'Bearer one');
    files.texts.set('/sa/token', 'two');
    assert.equal(await token(), 'Bearer one');
    clock.advance(60_000);
    assert.equal(await token(), 'Bearer two');
    files.texts.set('/sa/token', 'three');
    credentials.refused();
    assert.equal(await token(), 'Bearer three');
  });

  test('stays what it was while its file is being replaced; without one there is nothing to come with', async () => {
    const { clock, files, token } = start();
    await token();
    files.texts.delete('/sa/token');
    clock.advance(60_000);
    assert.equal(await token(), 'Bearer one');
    const none = start();
    none.files.texts.delete('/sa/token');
    await assert.rejects(none.token(), /the file with the token for the API server cannot be read: ENOENT/);
  });

  test('leaves connections as they are; another authority makes new ones', async () => {
    const { clock, files, credentials } = start();
    const first = await credentials.access();
    files.texts.set('/sa/token', 'two');
    clock.advance(60_000);
    assert.equal((await credentials.access()).tls, first.tls);
    files.texts.set('/sa/ca.crt', 'another');
    clock.advance(60_000);
    assert.notEqual((await credentials.access()).tls, first.tls);
  });
});

test('in a pod the API server is where the environment says', async () => {
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
  assert.equal(isInCluster(env), true);
  assert.equal(isInCluster({}), false);
  const files = new Files();
  const { server, credentials } = inClusterAccess({ clock: new ManualClock(), env, readText: files.readText }, '/sa');
  assert.equal(server.href, 'https://[fd00::1]:6443/');
  assert.deepEqual((await credentials.access()).authorization, 'Bearer one');
});

describe('a program that gives out credentials', () => {
  const plugin: ExecPlugin = {
    ...{ apiVersion: 'client.authentication.k8s.io/v1', command: 'cloud-login', args: ['--quiet'], env: { REGION: 'eu' } },
    ...{ installHint: 'install it with: get cloud-login', cluster: { server: 'https://kube', ca: 'CA' } },
  };
  const tls = { ca: 'CA', cert: null, key: null, serverName: null, verify: true };
  const credential = (status: object) => JSON.stringify({ apiVersion: plugin.apiVersion, kind: 'ExecCredential', status });
  const start = (answer: () => string) => {
    const clock = new ManualClock();
    const runs: { readonly command: string; readonly env: Readonly<Record<string, string>> }[] = [];
    const run = (command: string, _args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> => {
      runs.push({ command, env });
      return Promise.resolve().then(answer);
    };
    return { clock, runs, credentials: new ExecCredentials(plugin, tls, { clock, run }) };
  };

  test('runs once for all that ask, and again shortly before its credential ends', async () => {
    const { clock, runs, credentials } = start(() =>
      credential({ token: `t${runs.length}`, expirationTimestamp: new Date(clock.wallMs() + 3_600_000).toISOString() }),
    );
    const both = await Promise.all([credentials.access(), credentials.access()]);
    assert.deepEqual(
      both.map(({ authorization }) => authorization),
      ['Bearer t1', 'Bearer t1'],
    );
    clock.advance(3_500_000);
    await credentials.access();
    assert.equal(runs.length, 1);
    clock.advance(80_000);
    assert.equal((await credentials.access()).authorization, 'Bearer t2');
    credentials.refused();
    assert.equal((await credentials.access()).authorization, 'Bearer t3');
    const info = JSON.parse(runs[0]?.env['KUBERNETES_EXEC_INFO'] ?? '') as { readonly spec: unknown };
    assert.deepEqual(info.spec, { interactive: false, cluster: { server: 'https://kube', 'certificate-authority-data': 'Q0E=' } });
  });

  test('may give a certificate instead of a token', async () => {
    const { credentials } = start(() => credential({ clientCertificateData: 'CERT', clientKeyData: 'KEY' }));
    assert.deepEqual(await credentials.access(), { authorization: null, tls: { ...tls, cert: 'CERT', key: 'KEY' } });
  });

  test('that fails, or says something else, is told with what helps, and never with what it said', async () => {
    const failing = start(() => {
      throw new Error('not logged in');
    });
    await assert.rejects(
      failing.credentials.access(),
      /"cloud-login" of the kubeconfig gave no credentials: not logged in; install it with: get cloud-login/,
    );
    await assert.rejects(
      start(() => 'secret-token').credentials.access(),
      (error: Error) => /expected an ExecCredential/.test(error.message) && !error.message.includes('secret'),
    );
    await assert.rejects(start(() => credential({})).credentials.access(), /without credentials; expected status.token/);
    await assert.rejects(
      start(() => credential({ token: 'x' }).replace('v1', 'v1beta1')).credentials.access(),
      /expected an ExecCredential of client.authentication.k8s.io\/v1/,
    );
  });
});

describe('a kubeconfig', () => {
  const text = (change: (text: string) => string = (same) => same): string =>
    change(`current-context: here
clusters: [{ name: c, cluster: { server: "https://kube:6443" } }]
users: [{ name: u, user: { token: t } }]
contexts: [{ name: here, context: { cluster: c, user: u } }]
`);
  const read = (content: string, context: string | null = null) =>
    kubeconfigAccess('/etc/config', context, { clock: new ManualClock(), env: {}, readText: () => content });

  test('in order is understood', async () => {
    const { server, credentials, origin } = await read(text());
    assert.deepEqual([server.href, origin], ['https://kube:6443/', 'context "here" of /etc/config']);
    assert.equal((await credentials.access()).authorization, 'Bearer t');
  });

  const broken: readonly (readonly [what: string, change: (text: string) => string, says: RegExp])[] = [
    ['no YAML', () => '{', /kubeconfig \/etc\/config: it cannot be read/],
    ['no current context', (of) => of.replace('current-context: here', ''), /no current-context; name one with --context/],
    [
      'a context that is not there',
      (of) => of.replace('current-context: here', 'current-context: there'),
      /no context "there"; it has here/,
    ],
    ['a cluster that is not there', (of) => of.replace('cluster: c', 'cluster: d'), /names cluster "d", which it does not have/],
    ['a user that is not there', (of) => of.replace('user: u', 'user: v'), /names user "v", which it does not have/],
    ['an address that is none', (of) => of.replace('https://kube:6443', 'kube'), /server "kube"; expected https:\/\/HOST:PORT/],
    [
      'an auth-provider',
      (of) => of.replace('token: t', 'auth-provider: { name: gcp }'),
      /which Kubernetes 1.26 has removed; expected exec/,
    ],
    ['a password', (of) => of.replace('token: t', 'username: root, password: x'), /which Kubernetes 1.19 has removed/],
    [
      'an old exec',
      (of) => of.replace('token: t', 'exec: { apiVersion: client.authentication.k8s.io/v1alpha1, command: x }'),
      /expected client.authentication.k8s.io\/v1 or/,
    ],
    [
      'a proxy',
      (of) => of.replace('"https://kube:6443"', '"https://kube:6443", proxy-url: "http://p"'),
      /has a proxy-url, which is not supported/,
    ],
  ];
  for (const [what, change, says] of broken) {
    test(`with ${what} says what is wrong`, async () => {
      await assert.rejects(read(text(change)), says);
    });
  }
});
