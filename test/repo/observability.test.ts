// The dashboard for Grafana and the alert rules for Prometheus name only metrics and labels that exist, and each alert says what to do about it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { MetricDefinition } from '../../balancer/telemetry/metric-definition.ts';
import { METRICS } from '../../balancer/telemetry/metrics.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

const rules = (parse(read('balancer/deploy/alert-rules.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
/** Every query that stands in the dashboard. */
const queries = [...read('balancer/deploy/grafana-dashboard.json').matchAll(/"(?:expr|query)": "((?:[^"\\]|\\.)*)"/g)].map(([, text]) =>
  String(JSON.parse(`"${text ?? ''}"`)),
);

/** Metrics of weir that a query names, with the labels it asks them for. */
function named(query: string): readonly { readonly metric: string; readonly labels: readonly string[] }[] {
  return [...query.matchAll(/\b(weir_[a-z0-9_]+)(?:\{([^}]*)\})?/g)].map(([, metric = '', matchers = '']) => ({
    metric,
    labels: [...matchers.matchAll(/([a-z_]+)\s*[=!]~?=?/g)].map(([, label = '']) => label),
  }));
}

/** Labels that Prometheus adds, or that the format has. */
const OTHERS: readonly string[] = ['instance', 'job', 'le'];

const known: Readonly<Record<string, MetricDefinition>> = METRICS;

for (const [what, texts] of [
  ['dashboard', queries],
  ['alert rules', rules.map(({ expr }) => expr)],
] as const)
  test(`the ${what} names metrics that exist, by labels that they have`, () => {
    const all = texts.flatMap(named);
    assert.ok(all.length > 15);
    for (const { metric, labels } of all) {
      const base = metric.replace(/_(?:bucket|count|sum)$/, '');
      const definition = known[metric] ?? (known[base]?.kind === 'histogram' ? known[base] : undefined);
      assert.ok(definition !== undefined, `there is no metric ${metric}`);
      for (const label of labels)
        assert.ok(
          [...definition.labels, ...OTHERS].some((one) => one === label),
          `${metric} has no label ${label}`,
        );
    }
  });

test('every alert has a section that says what to do, and every section an alert', () => {
  const sections = [...read('docs/alerts.md').matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
  assert.deepEqual(
    sections,
    rules.map(({ alert }) => alert),
  );
  for (const { alert, annotations, labels } of rules) {
    assert.equal(annotations.runbook_url, `docs/alerts.md#${alert.toLowerCase()}`);
    assert.match(labels.severity, /^(?:warning|critical)$/);
    assert.ok(annotations.summary.length > 20);
  }
});

test('the panels of the dashboard have ids and places of their own', () => {
  const { panels } = JSON.parse(read('balancer/deploy/grafana-dashboard.json')) as {
    panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
  };
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const taken = new Set<string>();
  for (const { gridPos } of panels)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        assert.ok(x < 24 && !taken.has(`${x}/${y}`), `two panels at ${x}, ${y}`);
        taken.add(`${x}/${y}`);
      }
});

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;

test(
  'Prometheus takes the alert rules, and they say what they should',
  { skip: hasPromtool ? false : 'there is no promtool; .ci/promtool brings one' },
  () => {
    const { status, stderr, stdout } = spawnSync(join(ROOT, '.ci/promtool'), { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  },
);
