// Fuzz target structured-fields: what is read of a dictionary is written as it will be read again, so that a signature covers what was seen.
import { parseDictionary, serializeMember } from '../../../balancer/message/structured-fields.ts';
import type { FuzzTarget } from '../target.ts';

export const structuredFields: FuzzTarget = {
  name: 'structured-fields',
  summary: 'Dictionaries of signatures: what was read is written in one way, and read as the same',
  seeds: [
    'sig=("@method" "@path" "content-digest");created=1618884473;keyid="a";nonce="b\\"\\\\"',
    'sig=:AQIDBA==:',
    'a=("@query-param";name="Pet" "x";sf);tag="t", b=?0;c , d',
    'a=(), b=( "x"  "y" );c=-7',
    'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:',
  ],
  dictionary: [
    '=',
    '(',
    ')',
    '"',
    '\\"',
    '\\\\',
    ';',
    ',',
    ' ',
    '\t',
    ':',
    '=:',
    '==:',
    '?0',
    '?1',
    '*',
    '-',
    '123456789012345',
    '1.5',
    'a=',
    '"x"',
    ';a=1',
  ],
  parallel: 1,
  open: () => Promise.resolve({ run, close: () => Promise.resolve() }),
};

function run(input: string): string {
  const members = parseDictionary(input);
  if (members === null) return 'none';
  const written = writtenOf(members);
  const again = parseDictionary(written);
  if (again === null || writtenOf(again) !== written)
    throw new Error(`${written} is read as ${again === null ? 'nothing' : writtenOf(again)}`);
  return written.replaceAll(/[A-Za-z0-9+/]+/g, 'x').slice(0, 12);
}

function writtenOf(members: NonNullable<ReturnType<typeof parseDictionary>>): string {
  return [...members].map(([key, member]) => `${key}=${serializeMember(member)}`).join(', ');
}
