// The kinds of probe: one line each.
import { httpProbe, type HttpProbeSettings } from './http-probe.ts';
import type { Probe } from './probe.ts';
import { tcpProbe } from './tcp-probe.ts';

export type ProbeSettings = ({ readonly kind: 'http' } & HttpProbeSettings) | { readonly kind: 'tcp' };

/** Makes the probe that `settings` describes. */
export function createProbe(settings: ProbeSettings): Probe {
  switch (settings.kind) {
    case 'http':
      return httpProbe(settings);
    case 'tcp':
      return tcpProbe;
  }
}
