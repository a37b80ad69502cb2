// weir audit: who changed what and how we know, and whether the chain of records is whole.
import type { RevisionView } from '../../balancer/controller/api/views.ts';
import { AUDIT_COLUMNS } from '../columns.ts';
import type { CommandDefinition } from '../command.ts';
import { EXIT } from '../exit.ts';
import { writeList, writeResult } from '../output.ts';

const DEFAULT_LIMIT = 100;
/** Records fetched at a time. */
const PAGE = 500;

const verifyCommand: CommandDefinition = {
  examples: ['weir audit verify', 'weir audit verify -o json'],
  notes: 'Every record carries the hash of the one before it. The exit code is 1 when a record was changed or taken out.',
  run: async (call) => {
    const client = await call.connect();
    const found = await client.verifyAudit();
    const text = found.intact
      ? `the audit chain is intact: ${found.records} records\n`
      : `the audit chain is broken at revision ${found.brokenAt ?? '?'}: that record, or one before it, was changed or taken out\n`;
    await writeResult(call, { kind: 'audit', revision: found.records, items: [found] }, text);
    return found.intact ? EXIT.ok : EXIT.failed;
  },
};

const exportCommand: CommandDefinition = {
  examples: ['weir audit export > audit.jsonl'],
  notes:
    'Every record as one line of JSON, the newest first, as the chain covers it: who, how we know, why, what was asked, before and after.',
  run: async (call) => {
    const client = await call.connect();
    let before: number | undefined;
    for (;;) {
      const { items } = await client.list<RevisionView>('revisions', { limit: PAGE, ...(before === undefined ? {} : { before }) });
      if (items.length > 0) await call.terminal.data(items.map((record) => `${JSON.stringify(record)}\n`).join(''));
      before = items.at(-1)?.revision;
      if (before === undefined || before <= 1) return EXIT.ok;
    }
  },
};

export const auditCommand: CommandDefinition = {
  examples: ['weir audit', 'weir audit --limit 10 -o json', 'weir audit verify'],
  options: [{ flags: '--limit <N>', summary: `how many records, newest first (default ${DEFAULT_LIMIT})` }],
  subcommands: [
    { name: 'verify', summary: 'check the chain of records', load: () => Promise.resolve(verifyCommand) },
    { name: 'export', summary: 'write every record as a line of JSON', load: () => Promise.resolve(exportCommand) },
  ],
  run: async (call) => {
    const limit = call.values.number('limit', { min: 1, max: 1000, integer: true }) ?? DEFAULT_LIMIT;
    const client = await call.connect();
    await writeList(call, await client.list<RevisionView>('revisions', { limit }), AUDIT_COLUMNS);
    return EXIT.ok;
  },
};
