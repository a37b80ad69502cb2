// Many requests at once over kept connections; how many got which status.
import { Agent, get } from 'node:http';

export interface Many {
  readonly requests: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly connections?: number;
}

/** In turns to each of the URLs. */
export async function statusesOfMany(
  urls: readonly string[],
  { requests, headers = {}, connections = 64 }: Many,
): Promise<Map<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const counts = new Map<number, number>();
  const ask = (url: string): Promise<undefined> => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    get(url, { agent, headers }, (response) => {
      const status = response.statusCode ?? 0;
      counts.set(status, (counts.get(status) ?? 0) + 1);
      response.resume().on('end', () => resolve(undefined));
    }).on('error', reject);
    return promise;
  };
  await Promise.all(Array.from({ length: requests }, (_, index) => ask(urls[index % urls.length] ?? '')));
  agent.destroy();
  return counts;
}
