// Where the command finds the appliance, and which token it takes along.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { CommandFailure } from '../../../tui/exit.ts';
import { contextFile } from '../../../tui/contexts.ts';
import { findServer as find } from '../../../tui/server.ts';

const findServer = (server: string | null, env: Record<string, string>) => find({ server, context: null }, env);

function home(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'weir-context-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'weir'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, 'weir', name), text);
  return directory;
}

const usage = (message: RegExp) => (error: unknown) =>
  error instanceof CommandFailure && error.exitCode === 2 && message.test(error.message);

describe('finding the appliance', () => {
  test('option, then variable, then context file, then the default socket', async (t) => {
    const XDG_CONFIG_HOME = home(t, { 'config.yaml': 'server: unix:/run/context.sock\n' });
    const WEIR_SERVER = 'unix:/run/variable.sock';
    const pathOf = async (option: string | null, env: Record<string, string>) => {
      const { address, source } = await findServer(option, env);
      return [address.kind === 'socket' ? address.path : '', source];
    };
    assert.deepEqual(await pathOf('unix:/run/option.sock', { WEIR_SERVER, XDG_CONFIG_HOME }), ['/run/option.sock', '--server']);
    assert.deepEqual(await pathOf(null, { WEIR_SERVER, XDG_CONFIG_HOME }), ['/run/variable.sock', 'WEIR_SERVER']);
    assert.deepEqual(await pathOf(null, { XDG_CONFIG_HOME }), ['/run/context.sock', join(XDG_CONFIG_HOME, 'weir/config.yaml')]);
    assert.deepEqual(await pathOf(null, { HOME: '/nonexistent' }), ['/var/lib/weir/admin.sock', 'the default state directory']);
    assert.deepEqual(await pathOf('unix:///run/slashes.sock', {}), ['/run/slashes.sock', '--server']);
  });

  test('the context file is in the configuration folder of the user', () => {
    assert.equal(contextFile({ XDG_CONFIG_HOME: '/etc/xdg', HOME: '/users/a' }), '/etc/xdg/weir/config.yaml');
    assert.equal(contextFile({ HOME: '/users/a' }), '/users/a/.config/weir/config.yaml');
    assert.equal(contextFile({ XDG_CONFIG_HOME: 'relative', HOME: '/users/a' }), '/users/a/.config/weir/config.yaml');
  });

  test('the token of the context goes to the server of the context and to no other', async (t) => {
    const XDG_CONFIG_HOME = home(t, { 'config.yaml': 'server: https://edge-1:7070\ntokenFile: token\n', token: 'weir_ctx_x\n' });
    const tokenOf = async (option: string | null, env: Record<string, string> = {}) => {
      const { address } = await findServer(option, { XDG_CONFIG_HOME, ...env });
      return address.kind === 'url' ? address.token : 'socket';
    };
    assert.equal(await tokenOf(null), 'weir_ctx_x');
    assert.equal(await tokenOf('https://elsewhere:7070'), null);
    assert.equal(await tokenOf(null, { WEIR_TOKEN: 'weir_env_x' }), 'weir_env_x');
    assert.equal(await tokenOf('https://elsewhere:7070', { WEIR_TOKEN_FILE: join(XDG_CONFIG_HOME, 'weir/token') }), 'weir_ctx_x');
  });

  test('what cannot be an address is refused with what can', async () => {
    for (const bad of ['edge-1:7070', 'ftp://edge-1', 'localhost', 'https://', 'unix:']) {
      await assert.rejects(findServer(bad, {}), usage(/expected unix:PATH, https:\/\/HOST:PORT/), bad);
    }
    await assert.rejects(findServer('https://user:secret@edge-1', {}), usage(/no user or password in the URL/));
    await assert.rejects(findServer('http://edge-1:7070', { WEIR_TOKEN: 'x' }), usage(/in clear/));
    await assert.rejects(findServer('https://edge-1', { WEIR_TOKEN_FILE: '/nonexistent' }), usage(/^WEIR_TOKEN_FILE: /));
    const { address } = await findServer('http://127.0.0.1:7070', { WEIR_TOKEN: 'x' });
    assert.equal(address.kind === 'url' ? address.token : '', 'x', 'loopback may be plain');
  });
});
