// What the machine allows, read from what the kernel says, and what is told to an operator whose config asks for more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heapMiB, limitWarnings, memoryLimit, openFilesIn, readMachineLimits } from '../../../balancer/controller/machine-limits.ts';
import { loaded } from '../../support/config-text.ts';

const MIB = 2 ** 20;

/** The files of a machine. */
const files =
  (texts: Readonly<Record<string, string>>) =>
  (path: string): string => {
    const text = texts[path];
    if (text === undefined) throw new Error(`ENOENT ${path}`);
    return text;
  };

test('open files are the hard limit, since Node raises the other one to it', () => {
  const limits =
    'Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 524288               files\n';
  assert.equal(openFilesIn(limits), 524_288);
  assert.equal(openFilesIn(limits.replace(/524288 /, 'unlimited')), null);
  assert.equal(openFilesIn(null), null);
});

const MEMORY: readonly { readonly what: string; readonly texts: Readonly<Record<string, string>>; readonly limit: number | null }[] = [
  {
    what: 'version 2: the least of the group and those it is in',
    texts: {
      '/proc/self/cgroup': '0::/system.slice/weir.service\n',
      '/sys/fs/cgroup/system.slice/weir.service/memory.max': `${800 * MIB}\n`,
      '/sys/fs/cgroup/system.slice/memory.max': `${512 * MIB}\n`,
    },
    limit: 512 * MIB,
  },
  {
    what: 'version 2: none',
    texts: { '/proc/self/cgroup': '0::/weir\n', '/sys/fs/cgroup/weir/memory.max': 'max\n' },
    limit: null,
  },
  {
    what: 'version 2 in a container, which sees its own group as the root',
    texts: { '/proc/self/cgroup': '0::/../../pod/weir\n', '/sys/fs/cgroup/memory.max': `${256 * MIB}\n` },
    limit: 256 * MIB,
  },
  {
    what: 'version 1 beside other controllers',
    texts: {
      '/proc/self/cgroup': '9:name=systemd:/\n4:cpu,memory:/docker/abc\n1:cpuset:/\n0::/\n',
      '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${1024 * MIB}\n`,
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    },
    limit: 1024 * MIB,
  },
  {
    what: 'version 1: none',
    texts: { '/proc/self/cgroup': '4:memory:/\n', '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' },
    limit: null,
  },
  { what: 'no control groups at all', texts: {}, limit: null },
];

for (const { what, texts, limit } of MEMORY) test(`the memory limit, ${what}`, () => assert.equal(memoryLimit(files(texts)), limit));

test('this machine can be read', () => {
  const { openFiles, backlog } = readMachineLimits();
  assert.ok(openFiles === null || openFiles > 100);
  assert.ok(backlog === null || backlog > 0);
});

test('the memory limit is shared out to the heaps, and what is left is for the rest', () => {
  assert.equal(heapMiB({ memory: null }, 4), null);
  assert.equal(heapMiB({ memory: 2048 * MIB }, 4), 277, '(2048 × 0.7 − 48) / 5');
  assert.equal(heapMiB({ memory: 100 * MIB }, 4), 96, 'never less than a worker needs');
  assert.equal(heapMiB({ memory: 65_536 * MIB }, 4), null, 'as V8 has it where there is enough');
});

const CONFIG = loaded(`version: 1
workers: 2
listeners: { web: { bind: "127.0.0.1:8080", limits: { connections: 6000 } }, tls: { bind: "127.0.0.1:8443", limits: { connections: 4000 } } }
clusters: { one: { endpoints: ["http://10.0.0.1"], maxConnections: 500 } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes: [{ service: shop }]
`);

test('a machine that allows enough is not spoken of', () => {
  assert.deepEqual(limitWarnings(CONFIG, { openFiles: 10_564, memory: 481 * MIB, backlog: 4096 }), []);
  assert.deepEqual(limitWarnings(CONFIG, { openFiles: null, memory: null, backlog: null }), []);
});

test('each limit that is too small is told with what needs it and what to do', () => {
  const warnings = limitWarnings(CONFIG, { openFiles: 10_563, memory: 400 * MIB, backlog: 128 });
  assert.equal(warnings.length, 3);
  assert.match(
    warnings[0] ?? '',
    /^a worker may have 10563 files open, .* accept 10000 connections \(web 6000, tls 4000\), .* needs 10564: .* Set LimitNOFILE=16384 in the unit .* or lower listeners\.\*\.limits\.connections$/,
  );
  assert.match(warnings[1] ?? '', /^the memory limit is 400 MiB, and 2 workers with the controller need 481 MiB: .* Set MemoryMax=512M/);
  assert.match(warnings[2] ?? '', /^net\.core\.somaxconn is 128, .* `sysctl -w net\.core\.somaxconn=4096`/);
});
