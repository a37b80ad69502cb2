// Filter placeAccess: from which countries, parts of them and continents clients may call.
import { Type, type Static } from '../schema/type.ts';
import { choice, listOf, mapping, valueOf } from '../config/schema-parts.ts';
import type { Place } from '../message/place.ts';
import type { FilterDefinition, Refusal } from './filter.ts';

const CONTINENT = 'continent:';

const places = (what: string) => Type.Optional(listOf(valueOf('placeCode', 'Place'), what, { minItems: 1 }));

const rule = mapping({ allow: places('Places that may call'), deny: places('Places that may not') }, 'Places, allowed or denied', {
  minProperties: 1,
  maxProperties: 1,
});

const schema = mapping(
  {
    rules: listOf(
      rule,
      'The first one that names the place of the client decides. A place is a country (`DE`, ISO 3166-1), a part of one (`US-CA`, ISO 3166-2, needs a database of cities) or a continent (`continent:EU`: AF, AN, AS, EU, NA, OC, SA)',
      { minItems: 1 },
    ),
    otherwise: choice(['allow', 'deny'], 'What holds for places that no rule names', 'deny'),
    unknown: choice(['allow', 'deny'], 'What holds for addresses that the database does not know, private ones among them', 'deny'),
  },
  'Options of placeAccess',
);

type Options = Static<typeof schema>;

export const placeAccess: FilterDefinition = {
  name: 'placeAccess',
  summary: 'Lets clients on or refuses them by the country, part of a country or continent that their address is in.',
  schema,
  example: "{ rules: [{ deny: [US-CA] }, { allow: [DE, US, 'continent:OC'] }] }",
  notes: [
    'Where an address is says the database of `clientLocations`, which the file has to name; it is read again when it changes. It tells where the network of an address is registered to be, which a client can choose: a hurdle, not a proof.',
  ],
  answers: ['address_denied'],
  asksForPlaces: true,
  complete(options, place) {
    if (!place.hasLocations)
      place.report(
        [],
        'nobody can say where an address is; expected `clientLocations: { database: FILE }` with a database in the MMDB format of MaxMind, such as GeoLite2-Country.mmdb',
      );
    return options;
  },
  create(options, { placeOf }) {
    const { rules, otherwise, unknown } = options as Options;
    const table = rules.map(({ allow, deny }) => ({ places: new Set(allow ?? deny), allowed: allow !== undefined }));
    return {
      onRequest({ clientAddress }) {
        const place = placeOf(clientAddress);
        if (place === null) return unknown === 'allow' ? undefined : refused(clientAddress, 'nobody knows where it is');
        const found = table.find((one) => isIn(place, one.places));
        if (found?.allowed ?? otherwise === 'allow') return undefined;
        return refused(clientAddress, `${found === undefined ? 'no rule allows' : 'a rule denies'} ${place.country || place.continent}`);
      },
    };
  },
};

function isIn({ country, subdivisions, continent }: Place, named: ReadonlySet<string>): boolean {
  return named.has(country) || named.has(CONTINENT + continent) || subdivisions.some((part) => named.has(part));
}

const refused = (address: string, why: string): Refusal => ({ code: 'address_denied', detail: `${address}: ${why}`, fields: [] });
