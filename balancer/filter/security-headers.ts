// Filter securityHeaders: fields by which browsers take more care of a page, and none that tell of the software behind it.
import { Type, type Static } from '../schema/type.ts';
import { choice, listOf, mapping, valueOf } from '../config/schema-parts.ts';
import { fieldIndex, removeField, type Fields } from '../message/fields.ts';
import type { FilterDefinition } from './filter.ts';

const policy = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 8192, pattern: '^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$', description }));

const hsts = mapping(
  {
    days: Type.Integer({ minimum: 1, maximum: 3650, default: 365, description: 'How long browsers ask this host by https only, in days' }),
    includeSubDomains: Type.Boolean({ default: false, description: 'Names below the host too' }),
    preload: Type.Boolean({
      default: false,
      description: 'Whether browsers may ship with it; takes includeSubDomains and 365 days, and is hard to take back',
    }),
  },
  '`Strict-Transport-Security` (RFC 6797), for requests that came by https; absent: it is not set',
);

const schema = mapping(
  {
    hsts: Type.Optional(hsts),
    contentTypeOptions: Type.Boolean({
      default: true,
      description: '`X-Content-Type-Options: nosniff`: the type of an answer is not guessed',
    }),
    frames: choice(
      ['deny', 'same-origin', 'any'],
      '`X-Frame-Options`: which pages may show this one in a frame; any: it is not set',
      'deny',
    ),
    referrerPolicy: choice(
      [
        'no-referrer',
        'same-origin',
        'origin',
        'strict-origin',
        'strict-origin-when-cross-origin',
        'origin-when-cross-origin',
        'no-referrer-when-downgrade',
        'unsafe-url',
      ],
      '`Referrer-Policy`: what the next site hears of the address of the page',
      'strict-origin-when-cross-origin',
    ),
    contentSecurityPolicy: policy('`Content-Security-Policy`; absent: it is not set'),
    permissionsPolicy: policy('`Permissions-Policy`; absent: it is not set'),
    openerPolicy: Type.Optional(
      choice(
        ['unsafe-none', 'same-origin-allow-popups', 'same-origin', 'noopener-allow-popups'],
        '`Cross-Origin-Opener-Policy`; absent: it is not set',
      ),
    ),
    resourcePolicy: Type.Optional(
      choice(['same-site', 'same-origin', 'cross-origin'], '`Cross-Origin-Resource-Policy`; absent: it is not set'),
    ),
    embedderPolicy: Type.Optional(
      choice(['unsafe-none', 'require-corp', 'credentialless'], '`Cross-Origin-Embedder-Policy`; absent: it is not set'),
    ),
    override: Type.Boolean({
      default: false,
      description: 'Whether these stand in place of what the service says; else they stand where it says nothing',
    }),
    remove: listOf(valueOf('fieldName', 'Name'), 'Fields that tell of the inside and are taken out', {
      default: ['server', 'x-powered-by', 'x-aspnet-version', 'x-aspnetmvc-version'],
    }),
  },
  'Options of securityHeaders',
);

type Options = Static<typeof schema>;

const DAY_S = 86_400;
const FRAMES: Readonly<Record<Options['frames'], string | undefined>> = { deny: 'DENY', 'same-origin': 'SAMEORIGIN', any: undefined };

export const securityHeaders: FilterDefinition = {
  name: 'securityHeaders',
  summary: 'Sets the fields by which browsers take more care of answers, and takes out those that tell of the software behind.',
  schema,
  example: '{ hsts: { includeSubDomains: true }, contentSecurityPolicy: "default-src \'self\'" }',
  problem(options) {
    const preloaded = (options as Options).hsts;
    if (preloaded?.preload !== true || (preloaded.includeSubDomains && preloaded.days >= 365)) return null;
    return 'securityHeaders: lists that browsers ship with take hosts with includeSubDomains and 365 days or more only; set both, or leave preload out';
  },
  create(options) {
    const given = options as Options;
    const always = namesAndValues(given);
    const transport = given.hsts === undefined ? null : transportOf(given.hsts);
    const gone = given.remove.map((name) => name.toLowerCase());
    return {
      onResponse({ scheme }, { fields }) {
        for (const name of gone) removeField(fields, name);
        for (let i = 0; i < always.length; i += 2) tell(fields, always[i] ?? '', always[i + 1] ?? '', given.override);
        // Over http it means nothing (RFC 6797 section 7.2).
        if (transport !== null && scheme === 'https') tell(fields, 'strict-transport-security', transport, given.override);
      },
    };
  },
};

function namesAndValues(given: Options): Readonly<Fields> {
  const wanted: readonly (readonly [string, string | undefined])[] = [
    ['x-content-type-options', given.contentTypeOptions ? 'nosniff' : undefined],
    ['x-frame-options', FRAMES[given.frames]],
    ['referrer-policy', given.referrerPolicy],
    ['content-security-policy', given.contentSecurityPolicy],
    ['permissions-policy', given.permissionsPolicy],
    ['cross-origin-opener-policy', given.openerPolicy],
    ['cross-origin-resource-policy', given.resourcePolicy],
    ['cross-origin-embedder-policy', given.embedderPolicy],
  ];
  return wanted.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

const transportOf = ({ days, includeSubDomains, preload }: NonNullable<Options['hsts']>): string =>
  `max-age=${days * DAY_S}${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`;

function tell(fields: Fields, name: string, value: string, override: boolean): void {
  if (override) removeField(fields, name);
  if (override || fieldIndex(fields, name) < 0) fields.push(name, value);
}
