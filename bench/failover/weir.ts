// weir before two clusters, with its defaults but for the interval of probes, which is that of HAProxy.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { weir as weirAlone, WEIR_COMMAND } from '../contenders/weir.ts';
import { ask } from '../http-get.ts';
import { freePort, launch, waitUntil } from '../processes.ts';
import { HEALTH_PATH, type LossContender, type LossSetting } from './contender.ts';

const cluster = (addresses: readonly string[]): string =>
  `{ endpoints: ${JSON.stringify(addresses.map((address) => `http://${address}`))}, health: { http: { path: ${HEALTH_PATH} }, interval: 1s, timeout: 500ms } }`;

const config = (port: number, { clusters: { lost, kept }, directory }: LossSetting): string => `
version: 1
host: { name: bench }
state: { dir: ${JSON.stringify(join(directory, 'state'))} }
workers: 2
drainDeadline: 1s
listeners: { web: { bind: "127.0.0.1:${port}", limits: { requestsPerConnection: 1000000000 } } }
clusters:
  lost: ${cluster(lost)}
  kept: ${cluster(kept)}
services: { shop: { versions: { blue: { clusters: { lost: {}, kept: {} } } }, retries: { on: [502, 503, 504] } } }
routes: [ { service: shop } ]
`;

export const weir: LossContender = {
  name: 'weir',
  summary: '2 workers, defaults: adaptive tries, 2 retries within the budget, of answers 502, 503 and 504 too, probes every second',
  available: () => weirAlone.available(),
  start: async (setting) => {
    const port = await freePort();
    await mkdir(join(setting.directory, 'state'), { mode: 0o700 });
    const file = join(setting.directory, 'weir.yaml');
    await writeFile(file, config(port, setting));
    const running = await launch(process.execPath, [WEIR_COMMAND, 'serve', '-c', file]);
    try {
      await waitUntil(running, 'weir should answer', async () => (await ask({ port, tls: false }, '/'))?.status === 200);
    } catch (error) {
      await running.stop();
      throw error;
    }
    return { port, stop: () => running.stop() };
  },
};
