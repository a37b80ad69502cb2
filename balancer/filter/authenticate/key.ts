// Method key: a random key in a field of its own, or in a parameter of the query.
import { Type, type Static } from '../../schema/type.ts';
import { mapping, valueOf } from '../../config/schema-parts.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import { carriedByField, carriedByQuery, carriedByScheme, removeCarriedField, removeCarriedQuery, type Carried } from './carried.ts';
import { ambiguousCredentials, invalidCredentials, type AuthenticationMethod, type AuthenticationMethodDefinition } from './method.ts';

/** Longer ones are not hashed. */
const MAX_KEY_LENGTH = 512;

const schema = mapping(
  {
    header: valueOf('fieldName', 'Field that holds the key; `authorization`: behind the word Bearer', 'x-api-key'),
    query: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'Parameter that may hold it instead; what stands in a URL ends up in logs and histories',
      }),
    ),
    forward: Type.Boolean({ default: false, description: 'Whether the cluster gets to see the key' }),
  },
  'Keys of consumers',
);

type Options = Static<typeof schema>;

export const key: AuthenticationMethodDefinition = {
  name: 'key',
  summary: 'Keys of consumers, of which only hashes are kept.',
  schema,
  create(options, { consumers, clock }): AuthenticationMethod {
    const { query, forward, ...rest } = options as Options;
    const header = rest.header.toLowerCase();
    const challenge = header === 'authorization' ? 'Bearer' : 'Key';
    const keyOf = (request: CanonicalRequest): Carried => {
      const inField = header === 'authorization' ? carriedByScheme(request, 'bearer') : carriedByField(request, header);
      const inQuery = query === undefined ? undefined : carriedByQuery(request, query);
      if (inField === undefined) return inQuery;
      return inQuery === undefined ? inField : null;
    };
    return {
      challenge,
      prove(request) {
        const shown = keyOf(request);
        if (shown === undefined) return null;
        if (shown === null) return ambiguousCredentials('more than one key', challenge);
        const known = shown.length > MAX_KEY_LENGTH ? null : consumers.findKey(shown);
        if (known === null) return invalidCredentials('nobody has this key', challenge);
        const { identity } = known;
        const whose = `key ${identity.credential} of ${identity.consumer}`;
        if (known.expiresMs <= clock.wallMs()) return invalidCredentials(`${whose} has expired`, challenge);
        if (known.from !== null && known.from.find(request.clientAddress) === null)
          return invalidCredentials(`${whose} may not be used from ${request.clientAddress}`, challenge);
        return identity;
      },
      conceal(request) {
        if (forward) return;
        removeCarriedField(request, header);
        if (query !== undefined && request.query !== '') removeCarriedQuery(request, query);
      },
    };
  },
};
