// Where the endpoints of a cluster come from: a list in the file, or what the agent of the cluster tells.
import { Type } from '../schema/type.ts';
import { choice, listOf, mapping, valueOf } from './schema-parts.ts';

const agent = mapping(
  {
    scheme: choice(
      ['https', 'http', 'h2c', 'tcp'],
      'How all of them are reached; an agent does not choose it, as it could then take TLS away',
      'https',
    ),
    within: listOf(
      valueOf('addressBlock', 'Address or CIDR block'),
      'Blocks that addresses must be in; others are refused and told. Empty: any address but loopback, link-local and multicast ones',
      {
        default: [],
      },
    ),
    names: listOf(
      valueOf('hostPattern', 'Name, or *.DOMAIN'),
      'Patterns that DNS names must match, where load balancers have names; others are refused and told',
      {
        default: [],
      },
    ),
  },
  'Endpoints come and go as the agent of the cluster finds them; probes decide which of them are used',
);

const discovery = mapping({ agent }, 'Where they are discovered');

interface DiscoveryFile {
  readonly agent: { readonly scheme?: 'https' | 'http' | 'h2c' | 'tcp'; readonly within?: string[]; readonly names?: string[] };
}

/** One schema of three types and no `anyOf`, so that a problem names the exact key. */
export const endpoints = Type.Unsafe<string[] | 'agent' | DiscoveryFile>({
  ...discovery,
  type: ['array', 'string', 'object'],
  minItems: 1,
  items: valueOf('endpoint', 'URL of an endpoint'),
  pattern: '^agent$',
  description:
    'Addresses of the gateways of the cluster: `https://host:port` (HTTP/2 where the endpoint offers it, else HTTP/1.1), `http://host:port` (HTTP/1.1), `h2c://host:port` (HTTP/2 without TLS), or `tcp://host:port` for pass-through listeners only. A tls-passthrough listener connects to `https://` and `tcp://` addresses, a tcp listener to `tcp://`, `http://` and `h2c://`; neither adds TLS of its own. Or `agent`: those that the agent of the cluster finds there',
  what: 'a list of endpoints',
  expected: 'URLs such as ["https://10.1.0.10"], with https, http or h2c; or agent, for those that the agent of the cluster finds',
});
