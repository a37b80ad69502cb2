// What the demo prints when it is ready: addresses, and command lines that work as they stand from another terminal.
import { DEMO_SERVICE, type DemoPorts } from './layout.ts';
import { DEMO_HOST } from './ports.ts';

export interface GuideCluster {
  readonly name: string;
  readonly latencyMs: number;
  readonly originPid: number;
}

export interface Guide {
  readonly ports: DemoPorts;
  readonly socketPath: string;
  /** The directory of logs, state and configuration. */
  readonly directory: string;
  /** Where commands are typed; null: `weir` is installed and can be called from anywhere. */
  readonly checkout: string | null;
  readonly demoPid: number;
  readonly clusters: readonly GuideCluster[];
}

const url = (port: number, path = '/'): string => `http://${DEMO_HOST}:${port}${path}`;

/** A word of a POSIX shell command line. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function commandLines({ checkout, ports }: Guide): readonly (readonly [string, string])[] {
  const weir = checkout === null ? 'weir' : 'npm run -s weir --';
  const front = url(ports.listener);
  return [
    ['Who answers:', `for i in $(seq 10); do curl -s ${front}; done`],
    ['Keep traffic flowing:', `while sleep 0.02; do curl -s -o /dev/null ${front}; done`],
    ['How is it going:', `${weir} status`],
    ['The dashboard:', `${weir} top`],
    ['What would a shift do:', `${weir} shift ${DEMO_SERVICE} green=50 --dry-run`],
    ['Do it:', `${weir} shift ${DEMO_SERVICE} green=50`],
    ['Take it back:', `${weir} undo`],
  ];
}

const block = (lines: readonly (readonly [string, string])[]): string => lines.map(([what, line]) => `  ${what}\n    ${line}\n`).join('');

/** The text; every command stands on a line of its own, four spaces in, so that whole lines can be pasted. */
export function guideText(guide: Guide): string {
  const { ports, checkout, clusters } = guide;
  const enter = checkout === null ? '' : `    cd ${quote(checkout)}\n`;
  const kills = clusters.map(({ name, latencyMs, originPid }) => [`${name}, ${latencyMs} ms away:`, `kill ${originPid}`] as const);
  return `
The demo is running: 3 clusters, 2 versions (blue 90 %, green 10 %), 2 workers.

  service    ${url(ports.listener)}
  admin API  ${url(ports.admin)}
  metrics    ${url(ports.metrics, '/metrics')}
  logs       ${guide.directory}

In another terminal, first:
${enter}    export WEIR_SERVER=${quote(`unix:${guide.socketPath}`)}

Then:

${block(commandLines(guide))}
Lose a cluster (its origin dies; the balancer moves its share at once):

${block([...kills, ['Bring back what was lost:', `kill -USR2 ${guide.demoPid}`]])}
Ctrl-C ends the demo and removes everything it made.
`;
}
