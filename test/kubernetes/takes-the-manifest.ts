// What deploys an agent: the chart as Go's templates render it is the manifest, and a real API server takes every object of it and keeps every field.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { manifestOf, objectsOf } from '../../agent/deploy/manifest.ts';
import { chartObjects, FULL, keyed, PLAIN } from '../support/agent-chart.ts';
import { renderWithGo } from '../support/go-templates.ts';
import { startKube, type KubeApiServer } from '../support/kube-api-server.ts';
import { makeNamespace } from '../support/kube-objects.ts';

const ends: (() => unknown)[] = [];
let kube: KubeApiServer;

before(async () => {
  kube = await startKube({ after: (end) => void ends.push(end as () => unknown) });
  for (const { namespace } of FULL.prescale) await makeNamespace(kube, namespace);
});

after(async () => {
  for (const end of ends.reverse()) await end();
});

interface Sent {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** What it is made at. */
function collectionOf({ apiVersion, kind, metadata }: Sent): string {
  const plural = `${kind.toLowerCase()}s`.replace(/policys$/, 'policies');
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return metadata.namespace === undefined ? `${group}/${plural}` : `${group}/namespaces/${metadata.namespace}/${plural}`;
}

/** Members of `sent` that `kept` does not have, or has otherwise. A server drops what it does not know without a word. */
function lost(sent: unknown, kept: unknown, path = ''): readonly string[] {
  if (typeof sent !== 'object' || sent === null)
    return sent === kept ? [] : [`${path}: ${JSON.stringify(sent)}, kept ${JSON.stringify(kept)}`];
  return Object.entries(sent).flatMap(([name, value]) => {
    const of: unknown = typeof kept === 'object' && kept !== null ? Reflect.get(kept, name) : undefined;
    return lost(value, of, `${path}.${name}`);
  });
}

const SETTINGS = Object.entries({ 'the least': PLAIN, 'all there is': FULL });

for (const [name, settings] of SETTINGS) {
  test(`the API server takes all of it, of ${name}`, async () => {
    for (const sent of JSON.parse(JSON.stringify(manifestOf(settings))) as readonly Sent[]) {
      const kept = await kube.ask('POST', collectionOf(sent), sent);
      assert.deepEqual(lost(sent, kept), [], sent.kind);
    }
  });
}

for (const [name, settings] of SETTINGS) {
  test(`the chart by Go's templates is the manifest, of ${name}`, () => {
    const manifest = JSON.parse(JSON.stringify(objectsOf(settings))) as readonly unknown[];
    assert.deepEqual(keyed(chartObjects(settings, renderWithGo)), keyed(manifest));
  });
}
