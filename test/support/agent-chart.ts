// The chart and the manifest of an agent, as tests compare them: settings of the least and of all there is, and the chart's objects by whoever renders it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import { type ManifestSettings, valuesOf } from '../../agent/deploy/manifest.ts';

const CHART = new URL('../../agent/deploy/chart/', import.meta.url).pathname;
export const readChart = (file: string): string => readFileSync(join(CHART, file), 'utf8');
export const isValid = new Ajv().compile(JSON.parse(readChart('values.schema.json')) as object);

/** As little as deploys something. */
export const PLAIN: ManifestSettings = {
  cluster: 'eu-west',
  hubs: ['wss://edge-1.example:7071'],
  namespace: 'weir',
  image: 'registry.example/weir-agent:0.1.0',
  replicas: 2,
  tokenSecret: 'weir-agent-token',
  certificateSecret: null,
  ca: null,
  config: null,
  prescale: [],
};
/** All there is to say. */
export const FULL: ManifestSettings = {
  ...PLAIN,
  hubs: ['wss://edges.example:7071', 'wss://edge-9.example', 'ws://10.0.0.9:7072', 'ws://10.0.0.8'],
  namespace: 'edge-agents',
  replicas: 3,
  tokenSecret: null,
  certificateSecret: 'weir-agent-tls',
  ca: '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n',
  config: 'services:\n  shop: { service: "shop/web", ratePerEndpoint: 50 }\n# "quoted" \\ and {{ not a template }}\n',
  prescale: [
    { service: 'shop', namespace: 'shop', name: 'web', rpsPerReplica: 50, most: 20 },
    { service: 'search', namespace: 'find', name: 'search-api', rpsPerReplica: 12.5, most: null },
  ],
};

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** By kind, namespace and name. */
export function keyed(objects: readonly unknown[]): Readonly<Record<string, unknown>> {
  const entries = (objects as readonly Named[]).map(
    (one) => [`${one.kind} ${one.metadata.namespace ?? ''}/${one.metadata.name}`, one] as const,
  );
  assert.equal(new Set(entries.map(([key]) => key)).size, entries.length, 'no object is there twice');
  return Object.fromEntries(entries);
}

/** The texts of the templates with what they share, in the order of their names. */
export type RenderChart = (templates: Readonly<Record<string, string>>, root: unknown) => readonly string[];

/** Validated as Helm does, rendered by `render`. */
export function chartObjects(settings: ManifestSettings, render: RenderChart): readonly unknown[] {
  const values = { ...(parse(readChart('values.yaml')) as object), ...valuesOf(settings) };
  assert.equal(isValid(values), true, JSON.stringify(isValid.errors));
  const { appVersion } = parse(readChart('Chart.yaml')) as { readonly appVersion: string };
  const templates = Object.fromEntries(readdirSync(join(CHART, 'templates')).map((name) => [name, readChart(`templates/${name}`)]));
  const root = { Values: values, Release: { Namespace: settings.namespace }, Chart: { AppVersion: appVersion } };
  return render(templates, root)
    .flatMap((text) => parseAllDocuments(text))
    .map((document) => {
      assert.deepEqual(document.errors, []);
      return document.toJS() as unknown;
    })
    .filter((object) => object !== null);
}
