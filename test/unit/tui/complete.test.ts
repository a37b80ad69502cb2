// Completion comes from the tree of commands itself, so what it offers is what the parser takes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type LookUp, type NameKind, complete } from '../../../tui/complete.ts';
import { COMMAND_GROUPS } from '../../../tui/registry.ts';

const NAMES: Readonly<Partial<Record<NameKind, readonly string[]>>> = {
  ...{ clusters: ['eu-west', 'us-east'], services: ['shop', 'blog'], contexts: ['prod', 'lab'], revisions: ['42', '41'] },
  ...{ tokens: ['ci'], views: ['mine'], consumers: ['acme'] },
};

const lookUp: LookUp = (kind, service) =>
  Promise.resolve(kind === 'versions' ? (service === 'shop' ? ['blue', 'green'] : []) : (NAMES[kind] ?? []));

const offers = (...words: readonly string[]) => complete(COMMAND_GROUPS, words, lookUp);

describe('completion', () => {
  test('commands, subcommands and choices', async () => {
    assert.deepEqual(await offers('sh'), ['shift']);
    assert.ok(!(await offers('')).includes('__complete'));
    assert.deepEqual(await offers('token', ''), ['create', 'list', 'revoke', 'share']);
    assert.deepEqual(await offers('get', 'w'), ['workers']);
    assert.deepEqual(await offers('--server', 'unix:/x', 'token', 'l'), ['list']);
  });

  test('options of the command and of all commands', async () => {
    assert.deepEqual(await offers('undo', '--d'), ['--dry-run']);
    assert.ok((await offers('undo', '--')).includes('--server'));
    assert.deepEqual(await offers('status', '-o', 'j'), ['json', 'jsonl']);
    assert.deepEqual(await offers('token', 'create', 'ci', '--role', ''), ['read', 'operate', 'admin']);
  });

  test('names of contexts, views, revisions, tokens, and of what a list is of', async () => {
    assert.deepEqual(await offers('context', 'use', ''), ['prod', 'lab']);
    assert.deepEqual(await offers('--context', 'l'), ['lab']);
    assert.deepEqual(await offers('top', '--view', ''), ['mine']);
    assert.deepEqual(await offers('undo', '--to', ''), ['42', '41']);
    assert.deepEqual(await offers('get', 'clusters', 'eu'), ['eu-west']);
    assert.deepEqual(await offers('token', 'revoke', ''), ['ci']);
    assert.deepEqual(await offers('describe', 'consumer', ''), ['acme']);
  });

  test('formats behind -o, wherever it stands', async () => {
    assert.deepEqual(await offers('-o', 'y'), ['yaml']);
    assert.deepEqual(await offers('get', 'clusters', '--output', 'w'), ['wide']);
  });

  test('what can be waited for, piece by piece', async () => {
    assert.deepEqual(await offers('wait', '--for', 's'), ['stable', 'share:']);
    assert.deepEqual(await offers('wait', '--for', 'health:e'), ['health:eu-west=']);
    assert.deepEqual(await offers('wait', '--for', 'health:eu-west=d'), ['health:eu-west=degraded', 'health:eu-west=down']);
    assert.deepEqual(await offers('wait', '--for', 'agent:eu-west='), [
      'agent:eu-west=fresh',
      'agent:eu-west=stale',
      'agent:eu-west=absent',
    ]);
    assert.deepEqual(await offers('wait', '--for', 'share:sh'), ['share:shop/']);
    assert.deepEqual(await offers('wait', '--for', 'share:shop/'), ['share:shop/blue>=', 'share:shop/green>=']);
    assert.deepEqual(await offers('wait', '--for', 'rollout:b'), ['rollout:blog']);
    assert.deepEqual(await offers('wait', '--for', 'idle:u'), ['idle:us-east']);
    assert.deepEqual(await offers('wait', '--for', 'nothing:'), []);
  });

  test('names that the appliance knows', async () => {
    assert.deepEqual(await offers('shift', ''), ['shop', 'blog']);
    assert.deepEqual(await offers('shift', 'shop', 'g'), ['green=']);
    assert.deepEqual(await offers('shift', 'shop', '--clusters', 'eu'), ['eu-west=']);
    assert.deepEqual(await offers('drain', 'u'), ['us-east']);
    assert.deepEqual(await offers('drain', 'eu-west', ''), []);
  });
});

describe('the registry', () => {
  test('every command can be loaded, leads with examples of itself, and its options are spelt in one way', async () => {
    for (const entry of COMMAND_GROUPS.flatMap((group) => group.commands)) {
      const definition = await entry.load();
      assert.ok(definition.examples.length > 0, `${entry.name} has an example`);
      assert.ok(
        definition.examples.some((example) => example.includes(`weir ${entry.name}`) || definition.subcommands !== undefined),
        entry.name,
      );
      assert.ok(definition.run !== undefined || (definition.subcommands ?? []).length > 0, `${entry.name} does something`);
      for (const { flags } of definition.options ?? [])
        assert.match(flags, /^(-[a-z], )?--[a-z][a-z-]*( <[A-Z][A-Z=]*(\.\.\.)?>)?$/, `${entry.name} ${flags}`);
    }
  });
});
