// Filter addressAccess: which addresses may call at all; it looks at the client's address after the trusted walk of forwarded fields.
import { Type, type Static } from '../schema/type.ts';
import { choice, listOf, mapping, valueOf } from '../config/schema-parts.ts';
import { AddressTable } from '../message/address-table.ts';
import type { FilterDefinition, Refusal } from './filter.ts';

const block = valueOf('addressBlock', 'Block');

const rule = mapping({ allow: Type.Optional(block), deny: Type.Optional(block) }, 'A block of addresses, allowed or denied', {
  minProperties: 1,
  maxProperties: 1,
});

const schema = mapping(
  {
    rules: listOf(rule, 'The first one that holds the address decides', { minItems: 1 }),
    otherwise: choice(['allow', 'deny'], 'What holds for addresses that are in no block', 'deny'),
  },
  'Options of addressAccess',
);

type Options = Static<typeof schema>;

export const addressAccess: FilterDefinition = {
  name: 'addressAccess',
  summary: 'Lets addresses on or refuses them, by the first block that holds them.',
  schema,
  example: '{ rules: [{ deny: 10.0.13.0/24 }, { allow: 10.0.0.0/8 }] }',
  answers: ['address_denied'],
  create(options) {
    const { rules, otherwise } = options as Options;
    const tables = rules.map(({ allow, deny }) => ({
      table: new AddressTable({ [allow ?? deny ?? '']: '' }),
      allowed: allow !== undefined,
    }));
    const allowedByDefault = otherwise === 'allow';
    return {
      onRequest({ clientAddress }) {
        for (const { table, allowed } of tables)
          if (table.find(clientAddress) !== null) return allowed ? undefined : refused(clientAddress, 'a rule denies');
        return allowedByDefault ? undefined : refused(clientAddress, 'no rule allows');
      },
    };
  },
};

const refused = (address: string, why: string): Refusal => ({ code: 'address_denied', detail: `${why} ${address}`, fields: [] });
