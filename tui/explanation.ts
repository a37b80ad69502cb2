// The way of a request laid out for reading. Pure.
import type { ExplainView } from '../balancer/controller/api/views.ts';
import { stepText } from './following-rollout.ts';
import * as text from './format.ts';
import { plain, table, type Column } from './table.ts';

type Service = NonNullable<ExplainView['service']>;
type Candidate = Service['candidates'][number];
type Endpoint = Candidate['endpoints'][number] & { readonly cluster: string };

export interface Look {
  readonly wide: boolean;
  readonly color: boolean;
}

const CANDIDATES: readonly Column<Candidate>[] = [
  { title: 'VERSION', of: (item) => item.version },
  { title: 'CLUSTER', of: (item) => item.cluster },
  { title: 'CHANCE', of: (item) => text.share(item.probability), right: true },
  { title: 'DESIRED', of: (item) => text.share(item.desiredShare), right: true },
  { title: 'EFFECTIVE', of: (item) => text.share(item.effectiveShare), right: true },
  { title: 'DECIDED BY', of: (item) => item.layer },
  { title: 'REASONS', of: (item) => item.reasons.join(',') },
  { title: 'AVAILABLE', of: (item) => text.ratio(item.available), right: true },
  { title: 'TIER', of: (item) => String(item.tier), right: true },
  { title: 'LIMIT', of: (item) => bound(item.limitShare), right: true },
  { title: 'HANDS ON AT', of: (item) => bound(item.spillShare), right: true, wide: true },
  { title: 'CAPACITY', of: (item) => text.rate(item.capacityRps), right: true, wide: true },
  { title: 'FAILBACK', of: (item) => (item.failback === 'ramping' ? `ramp at ${text.ratio(item.ramp)}` : item.failback), wide: true },
];

const ENDPOINTS: readonly Column<Endpoint>[] = [
  { title: 'CLUSTER', of: (item) => item.cluster },
  { title: 'ENDPOINT', of: (item) => item.id },
  {
    title: 'HEALTH',
    of: (item) => item.health,
    tone: (item) => (item.health === 'up' ? 'good' : item.health === 'down' ? 'bad' : 'warning'),
  },
  { title: 'WHY', of: (item) => item.reason },
];

export function explanation(view: ExplainView, look: Look): string {
  const lines = [...requestLines(view), ...routeLines(view), ...(view.service === null ? [] : serviceLines(view.service))];
  const blocks = [lines.map((line) => `${plain(line)}\n`).join('')];
  if (view.service !== null) blocks.push(...tables(view.service, look));
  if (view.notes.length > 0) blocks.push(view.notes.map((note) => `note: ${plain(note)}\n`).join(''));
  return blocks.filter((block) => block !== '').join('\n');
}

function requestLines({ request, listener, answer }: ExplainView): readonly string[] {
  const lines: string[] = [];
  if (request !== null) {
    const { method, scheme, host, path, query, clientAddress, peerTrusted } = request;
    lines.push(`request:  ${method} ${scheme}://${host}${path}${query === '' ? '' : `?${query}`}`);
    lines.push(`from:     ${clientAddress} by listener ${listener}${peerTrusted ? ', its peer is trusted' : ''}`);
  } else lines.push(`listener: ${listener}`);
  if (answer !== null) lines.push(`answer:   ${answer.status} ${answer.code}: ${answer.text}`);
  return lines;
}

function routeLines({ route, otherRoutes }: ExplainView): readonly string[] {
  if (route === null)
    return otherRoutes.map(
      ({ route: name, because }, index) => `${index === 0 ? 'nearest: ' : '         '} route ${name} wants ${because}`,
    );
  const filters = route.filters.length === 0 ? '' : `, filters ${route.filters.join(', ')}`;
  return [
    `route:    ${route.name} (${route.match}), ${route.because}`,
    ...otherRoutes.map(({ route: name, because }) => `then:     ${name}, ${because}`),
    `          priority class ${route.priorityClass}${route.clientCertificate === 'required' ? ', certificate required' : ''}${filters}`,
  ];
}

function serviceLines({
  name,
  policy,
  onUnavailable,
  plan,
  revision,
  refusedShare,
  lostShare,
  panic,
  clientRegion,
  rollout,
  choice,
  attempts,
}: Service): string[] {
  const bucket = choice.bucketPercent === null ? '' : `, bucket ${text.percent(Number(choice.bucketPercent.toFixed(4)))}`;
  const limit = attempts.requestMs === 0 ? '' : `, all together ${attempts.requestMs} ms`;
  return [
    `service:  ${name}, policy ${policy}, on unavailable ${onUnavailable}; plan ${plan} of revision ${revision}`,
    ...(clientRegion === null
      ? []
      : [
          `client:   ${clientRegion === '' ? 'of no region that the config knows: measured from the host' : `in region ${clientRegion}: measured from there`}`,
        ]),
    ...(panic ? ['          health is not believed: too little of it is up'] : []),
    ...(refusedShare > 0 ? [`refused:  ${text.share(refusedShare)} of its class, for want of capacity`] : []),
    ...(lostShare > 0 ? [`lost:     ${text.share(lostShare)} has no place`] : []),
    ...(rollout === null ? [] : [`rollout:  ${stepText(rollout)}`]),
    `chosen:   by ${choice.by}: ${choice.text}${bucket}`,
    `attempts: ${attempts.most} at most, ${attempts.repeatable ? 'it may be sent twice' : 'only what was not sent is tried again'}; ${attempts.budget}`,
    `          then ${attempts.next}`,
    `limits:   one try: ${attempts.tryLimit}; first byte ${attempts.firstByteMs} ms${limit}`,
  ];
}

function tables({ candidates }: Service, { wide, color }: Look): readonly string[] {
  const endpoints = new Map<string, Endpoint>();
  for (const { cluster, probability, endpoints: all } of candidates)
    if (probability > 0 || wide) for (const endpoint of all) endpoints.set(`${cluster}/${endpoint.id}`, { ...endpoint, cluster });
  const columns = CANDIDATES.filter((column) => wide || column.wide !== true);
  return [table(candidates, columns, color), table([...endpoints.values()], ENDPOINTS, color)];
}

function bound(share: number | null): string {
  return share === null ? '-' : text.share(share);
}
