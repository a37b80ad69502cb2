// `weir agent explain`: reads a cluster once, as an agent would, and tells each figure with what it was made from.
import { silentLog } from '../balancer/log.ts';
import { systemClock } from '../health/clock.ts';
import { explainText, type Explanation } from './explain.ts';
import { openCluster, type KubernetesSettings, type OpenCluster } from './open-cluster.ts';

export type Explained =
  | { readonly ok: true; readonly text: string; readonly summary: Explanation }
  | { readonly ok: false; readonly problems: readonly string[] };

/** A first list of a large cluster. */
const READING_MS = 20_000;

/** Never rejects for what may be wrong with the file, the credentials or the server. */
export async function explainOnce(settings: KubernetesSettings): Promise<Explained> {
  let cluster: OpenCluster;
  try {
    cluster = await openCluster(settings, { clock: systemClock, random: Math.random, log: silentLog });
  } catch (error) {
    return { ok: false, problems: (error instanceof Error ? error.message : String(error)).split('\n') };
  }
  const { source, origin } = cluster;
  try {
    source.start();
    await source.view.settled(READING_MS);
    // Pods are asked for their load at addresses that are known by now.
    await source.askApplications();
    const problems = source.problems();
    if (Object.values(source.view.sources()).every(({ state }) => state === 'absent')) {
      const [first = 'it does not answer'] = Object.values(problems);
      return { ok: false, problems: [`nothing could be read with ${origin}: ${first}`] };
    }
    const summary: Explanation = {
      figures: source.figures(),
      controlPlane: source.view.controlPlane(),
      sources: source.sources(),
      problems,
    };
    return { ok: true, text: explainText(summary), summary };
  } finally {
    await cluster.close();
  }
}
