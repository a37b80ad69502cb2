// The form of regions: how far they are from each other, and where clients are.
import { Type } from '../schema/type.ts';
import { mapping, named, valueOf } from './schema-parts.ts';

export const regionProperties = {
  regions: named(
    'name',
    named('name', Type.Number({ minimum: 0, maximum: 1e9, description: 'How far, in any unit' }), { description: 'Distances from here' }),
    {
      description:
        'Distances between regions for the policy `nearest`, such as `{ eu: { us: 90, asia: 160 } }`; one direction is enough. A region is at 0 from itself, and what is not named is farthest',
      default: {},
    },
  ),
  clientRegions: named('addressBlock', valueOf('name', 'Region'), {
    description:
      'Regions of clients by their address, such as `{ "10.20.0.0/16": eu, "2001:db8::/32": us }`: the policy `nearest` measures from there. The longest block counts; clients of no block are taken to be where the host is',
    default: {},
  }),
  clientLocations: Type.Optional(
    mapping(
      {
        database: valueOf('file', 'Database in the MMDB format of MaxMind, such as `GeoLite2-Country.mmdb`, read again when it changes'),
        countries: named('countryCode', valueOf('name', 'Region'), {
          description: 'By country (ISO 3166-1), such as `{ DE: eu }`',
          default: {},
        }),
        subdivisions: named('subdivisionCode', valueOf('name', 'Region'), {
          description: 'By part of a country (ISO 3166-2), such as `{ US-CA: us-west }`: before the country. Needs a database of cities',
          default: {},
        }),
        continents: named('continentCode', valueOf('name', 'Region'), {
          description: 'By continent: AF, AN, AS, EU, NA, OC, SA: after the country',
          default: {},
        }),
      },
      'Regions of clients by where their address is, for those that no block of `clientRegions` holds',
    ),
  ),
};
