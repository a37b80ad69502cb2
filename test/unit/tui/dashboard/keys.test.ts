// From bytes to commands: escape sequences, pastes, and that no key can change traffic.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createKeyDecoder, type InputEvent } from '../../../../tui/dashboard/input.ts';
import { bindingsOn, commandFor, KEY_BINDINGS, MUTATING_KEYS } from '../../../../tui/dashboard/keys.ts';
import { reduce } from '../../../../tui/dashboard/model.ts';
import { SCREENS } from '../../../../tui/dashboard/screens/registry.ts';
import { isReadOnly } from '../../../../tui/dashboard/state.ts';
import { after, liveState } from '../../../support/dashboard-state.ts';
import { busyStatus } from '../../../support/statuses.ts';

function names(events: readonly InputEvent[]): readonly string[] {
  return events.map((event) => {
    if (event.kind === 'mouse') return `${event.act} ${event.column},${event.row}`;
    return event.kind === 'key' ? event.name : `paste:${event.text}`;
  });
}

describe('the key decoder', () => {
  const whole: readonly (readonly [string, readonly string[]])[] = [
    ['jG?/', ['j', 'G', '?', '/']],
    ['é😀', ['é', '😀']],
    ['\x1b[A\x1b[B\x1bOA\x1bOB', ['up', 'down', 'up', 'down']],
    ['\x1b[5~\x1b[6~\x1b[H\x1b[4~', ['pageup', 'pagedown', 'home', 'end']],
    ['\t\x1b[Z\r\n\x7f', ['tab', 'shift-tab', 'enter', 'enter', 'backspace']],
    ['\x03\x0c', ['ctrl-c', 'ctrl-l']],
    ['\x1b[99;5u\x1b[27u\x1b[113u', ['ctrl-c', 'escape', 'q']],
    ['\x1bx\x1b\x1b[A', ['alt-x', 'escape', 'up']],
    ['\x1b\t', ['escape', 'tab']],
    ['\x1b[[Aq', ['q']],
    ['\x1b[200~q\x1b[Aq\x1b[201~j', ['paste:q\x1b[Aq', 'j']],
    ['\x1b[1;5Dq\x1b[?1;2cj', ['left', 'q', 'j']],
    ['\x00\x1c\x9b', []],
  ];
  for (const [bytes, keys] of whole) {
    test(`reads ${JSON.stringify(bytes)} as ${keys.join(' ') || 'nothing'}`, () => deepEqual(names(createKeyDecoder().push(bytes)), keys));
  }

  test('reads the same when a sequence arrives in pieces', () => {
    const input = 'j\x1b[A\x1b[6~\x1b[200~paste q\x1b[201~\x1bOBq';
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 30, maxLength: 30 }), (lengths) => {
        const decoder = createKeyDecoder();
        const events: InputEvent[] = [];
        let at = 0;
        for (const length of lengths) {
          events.push(...decoder.push(input.slice(at, at + length)));
          at += length;
        }
        deepEqual(names(events), ['j', 'up', 'pagedown', 'paste:paste q', 'down', 'q']);
        equal(decoder.waitMs, null);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  test('takes an Escape that nothing follows for the key, after a short wait', () => {
    const decoder = createKeyDecoder();
    deepEqual(decoder.push('\x1b'), []);
    equal(decoder.waitMs, 30);
    deepEqual(names(decoder.flush()), ['escape']);
    equal(decoder.waitMs, null);
  });

  test('does not let a paste without an end swallow the keyboard', () => {
    const decoder = createKeyDecoder();
    deepEqual(decoder.push('\x1b[200~rm -rf'), []);
    equal(decoder.waitMs, 1000);
    decoder.flush();
    deepEqual(names(decoder.push('q')), ['q']);
  });

  test('never fails and never keeps much, whatever comes', () => {
    const decoder = createKeyDecoder();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (bytes) => {
        decoder.push(bytes);
        decoder.flush();
        equal(decoder.waitMs, null);
      }),
      { seed: 9, numRuns: 1000 },
    );
  });
});

const operator = () => liveState(undefined, busyStatus({ role: 'operate' }));

describe('the key table', () => {
  test('leads to a change only by acts, each of which begins with a plan, an editor, a form or a menu, and asks for nothing but a preview', () => {
    deepEqual([...MUTATING_KEYS].sort(), ['L', 'R', 'U', 'b', 'c', 'd', 'e', 'm', 'u', 'w']);
    for (const screen of Object.values(SCREENS)) {
      const state = after(operator(), { type: 'screen', screen: screen.name });
      for (const binding of bindingsOn(state).filter(({ changes }) => changes === true)) {
        equal(binding.command.type, 'act');
        const command = commandFor(state, { kind: 'key', name: binding.keys[0] ?? '' }, 1);
        ok(command?.type === 'act');
        const pressed = reduce(state, command);
        ok(
          pressed.asks.every(({ kind }) => kind === 'line' || kind === 'history'),
          `${screen.name}: ${binding.label}`,
        );
      }
    }
  });

  test('has none of them where nothing may be changed: by flag, by role, by context', () => {
    const context = { name: 'prod', color: null, readOnly: true, confirm: null } as const;
    const readers = [{ ...operator(), readOnly: true }, liveState(undefined, busyStatus({ role: 'read' })), { ...operator(), context }];
    for (const state of readers) {
      ok(isReadOnly(state));
      const keys = bindingsOn(state).flatMap((binding) => binding.keys);
      deepEqual(
        MUTATING_KEYS.filter((key) => keys.includes(key)),
        [],
      );
      for (const name of MUTATING_KEYS) equal(commandFor(state, { kind: 'key', name }, 1), null);
    }
    ok(!isReadOnly(operator()));
  });

  test('gives every key one meaning per screen', () => {
    for (const screen of Object.values(SCREENS)) {
      const keys = bindingsOn(after(operator(), { type: 'screen', screen: screen.name })).flatMap((binding) => binding.keys);
      equal(new Set(keys).size, keys.length, screen.name);
    }
  });

  test('obeys every key it lists, on every screen', () => {
    for (const screen of Object.values(SCREENS)) {
      const state = after(operator(), { type: 'screen', screen: screen.name });
      for (const binding of bindingsOn(state)) {
        for (const name of binding.keys) deepEqual(commandFor(state, { kind: 'key', name }, 1), binding.command, name);
      }
    }
  });

  test('obeys only movements among many keys that came at once', () => {
    const state = liveState();
    const many = (name: string) => commandFor(state, { kind: 'key', name }, 4);
    equal(many('q'), null);
    equal(many('2'), null);
    equal(many('p'), null);
    equal(many('j')?.type, 'move');
    equal(many('ctrl-c')?.type, 'quit');
    equal(commandFor(state, { kind: 'key', name: 'q' }, 3)?.type, 'quit');
  });

  test('leaves by :q as by q, and by nothing else that is typed or pasted there', () => {
    const typed = (text: string) => after(liveState(), { type: 'overlay', kind: 'command' }, { type: 'overlayText', text });
    const enter = (text: string, together = 1) => commandFor(typed(text), { kind: 'key', name: 'enter' }, together)?.type;
    for (const text of ['q', 'quit', 'q!', ' exit ']) equal(enter(text), 'quit', text);
    for (const text of ['qq', 'undo', '']) equal(enter(text), 'overlayKey', text);
    equal(enter('q', 9), undefined);
  });

  test('takes every character for text while a filter is typed', () => {
    const state = after(liveState(), { type: 'filterOpen' });
    for (const name of ['q', 'j', '?', '/', ' ', 'é']) {
      deepEqual(commandFor(state, { kind: 'key', name }, 1), { type: 'filterType', text: name });
    }
    deepEqual(commandFor(state, { kind: 'paste', text: 'a\x1b[2Jb\n' }, 1), { type: 'filterType', text: 'a[2Jb ' });
    equal(commandFor(state, { kind: 'key', name: 'f1' }, 1), null);
    equal(commandFor(liveState(), { kind: 'paste', text: 'q' }, 1), null);
  });

  test('leads to a whole state from every state by any keys', () => {
    const keys = [...new Set(KEY_BINDINGS.flatMap((binding) => binding.keys)), 'enter', 'backspace', 'x', 'ctrl-u'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...keys), { maxLength: 40 }), (pressed) => {
        let state = liveState();
        for (const name of pressed) {
          const command = commandFor(state, { kind: 'key', name }, 1);
          if (command !== null && command.type !== 'quit' && command.type !== 'repaint' && command.type !== 'suspend')
            state = reduce(state, command);
        }
        deepEqual(state.latest?.status, busyStatus());
      }),
      { seed: 21, numRuns: 300 },
    );
  });
});
