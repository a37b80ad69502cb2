// Scenario `cache`: what an answer from memory costs beside the same from the origin.
import { weirWith } from '../contenders/weir.ts';
import { PLAIN } from '../contender.ts';
import { requests } from '../workloads/requests.ts';
import { compare } from './comparison.ts';

const PROXIED = 'proxied';

export const cachedAnswers = compare({
  name: 'cache',
  summary: 'CPU time per request of weir that answers from its cache beside weir that asks the origin',
  wiring: PLAIN,
  contenders: [
    weirWith({ name: PROXIED, summary: 'weir without a cache' }),
    weirWith({ name: 'cached', summary: 'weir with the answer in its cache', filters: '[{ cache: { defaultFreshness: 1h } }]' }),
  ],
  reference: PROXIED,
  parts: [requests('', [16, 64])],
});
