// Every alert that a host can show has a section in the runbook, and the runbook has no others.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');

test('each code of an alert is a section of docs/runbook.md', () => {
  const code = readFileSync(join(ROOT, 'balancer/controller/alerts.ts'), 'utf8');
  const called = [...code.matchAll(/\b(?:problem|warning)\(\s*'([a-z_]+)'/g)].map(([, name = '']) => name);
  const chosen = [...code.matchAll(/\? '([a-z_]+)' : '([a-z_]+)',/g)].flatMap(([, one = '', other = '']) => [one, other]);
  const health = ['cluster_down', 'cluster_degraded'];
  const codes = [...new Set([...called, ...chosen.filter((name) => name.startsWith('certificate_')), ...health])].sort();
  assert.ok(codes.length >= 15, codes.join(', '));
  const sections = [...readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8').matchAll(/^## ([a-z-]+)$/gm)].map(([, name = '']) => name);
  assert.deepEqual(sections.toSorted(), codes.map((name) => name.replaceAll('_', '-')).toSorted());
});
