// Probe http: GET over a fresh connection, judged by the status of the answer. The only importer of undici here.
import type { Client } from 'undici';
import { openConnection, type ProbeAddress } from './connect.ts';
import { failed, type Probe, type ProbeResult } from './probe.ts';

export interface HttpProbeSettings {
  readonly path: string;
  /** Host field; null: the address of the endpoint. */
  readonly host: string | null;
  /** Statuses that are healthy, bounds included. */
  readonly statuses: readonly { readonly from: number; readonly to: number }[];
}

/** No time limits of the client's own: the attempt has one, and the client's timers are coarser than half a second. */
const NO_LIMIT = 0;

/** A new connection each time, so that trouble on the way is seen which a kept connection would hide. */
export function httpProbe(settings: HttpProbeSettings): Probe {
  return async (address, signal) => {
    const way = { connected: false };
    // Loaded with the first probe of its kind: most hosts start without one.
    const undici = await import('undici');
    const client = new undici.Client(originOf(address), {
      allowH2: true,
      headersTimeout: NO_LIMIT,
      bodyTimeout: NO_LIMIT,
      connect: (_options, callback) => {
        openConnection(address, signal, (...result) => {
          way.connected = result[0] === null;
          // The client looks here for what was negotiated; without TLS it is what the config says.
          if (address.h2c === true && result[1] !== null) Object.assign(result[1], { alpnProtocol: 'h2' });
          callback(...result);
        });
      },
    });
    try {
      return judge(await statusOf(client, settings, signal), settings);
    } catch (error) {
      // A connection that breaks before the answer is trouble of the way; one that keeps silent is trouble of what runs behind it.
      return failed(signal.aborted ? signal.reason : error, way.connected && signal.aborted);
    } finally {
      await client.destroy();
    }
  };
}

async function statusOf(client: Client, { path, host }: HttpProbeSettings, signal: AbortSignal): Promise<number> {
  const headers = { 'user-agent': 'weir-probe', accept: '*/*', ...(host === null ? {} : { host }) };
  const { statusCode, body } = await client.request({ method: 'GET', path, headers, reset: true, signal });
  // The status tells all; the body is left unread, and what ends it with the connection is nobody's error.
  body.on('error', () => undefined);
  return statusCode;
}

function judge(status: number, { statuses }: HttpProbeSettings): ProbeResult {
  const ok = statuses.some(({ from, to }) => status >= from && status <= to);
  return { ok, reached: true, reason: ok ? '' : `status ${status}, expected ${rangesOf(statuses)}` };
}

function rangesOf(statuses: HttpProbeSettings['statuses']): string {
  return statuses.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}

function originOf({ host, port, tls }: ProbeAddress): string {
  return `${tls === null ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
