// Endpoints that are discovered, as the config bounds them.
import type { EndpointConfig } from './config.ts';

/** Endpoints that an agent tells of, and which of them are believed: who speaks for a cluster must not send its requests elsewhere. */
export interface DiscoveryConfig {
  readonly scheme: EndpointConfig['scheme'];
  /** Blocks that addresses must be in; empty: any but loopback, link-local and multicast ones. */
  readonly within: readonly string[];
  /** Patterns that names must match; empty: no names. */
  readonly names: readonly string[];
}
