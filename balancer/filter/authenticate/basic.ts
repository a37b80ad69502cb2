// Method basic: user name and password (RFC 7617).
import { Type, type Static } from '../../schema/type.ts';
import { mapping } from '../../config/schema-parts.ts';
import { carriedByScheme, removeCarriedField } from './carried.ts';
import { ambiguousCredentials, invalidCredentials, type AuthenticationMethodDefinition, type Proof } from './method.ts';
import { PasswordCheck, type Checked } from './password-check.ts';

/** A hash nobody's password has: an unknown user takes as long as a known one. */
const NOBODY = `scrypt:16384:8:1:${Buffer.alloc(16).toString('base64')}:${Buffer.alloc(32, 1).toString('base64')}`;
const MAX_LENGTH = 1024;

const schema = mapping(
  {
    realm: Type.String({
      default: 'weir',
      minLength: 1,
      maxLength: 100,
      pattern: '^[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]+$',
      description: 'What browsers show when they ask for the password',
    }),
    forward: Type.Boolean({ default: false, description: 'Whether the cluster gets to see the password' }),
  },
  'User names and passwords of consumers',
);

export const basic: AuthenticationMethodDefinition = {
  name: 'basic',
  summary: 'User names and passwords of consumers (RFC 7617).',
  schema,
  create(options, { consumers, clock }) {
    const { realm, forward } = options as Static<typeof schema>;
    const challenge = `Basic realm="${realm}", charset="UTF-8"`;
    const passwords = new PasswordCheck(clock);
    const refused = (detail: string): Proof => invalidCredentials(detail, challenge);
    return {
      challenge,
      prove(request) {
        const shown = carriedByScheme(request, 'basic');
        if (shown === undefined) return null;
        if (shown === null) return ambiguousCredentials('more than one Authorization field', challenge);
        const pair = shown.length > MAX_LENGTH ? '' : decoded(shown);
        const colon = pair.indexOf(':');
        if (colon < 0) return refused('not a user name and a password in base64');
        const known = consumers.findPassword(pair.slice(0, colon));
        const judge = (checked: Checked): Proof => {
          if (checked === null) return { code: 'authentication_unavailable', detail: 'too many passwords wait to be checked', fields: [] };
          return checked && known !== null ? known.identity : refused('no such user with this password');
        };
        const checked = passwords.check(pair.slice(colon + 1), known?.hash ?? NOBODY);
        return checked instanceof Promise ? checked.then(judge) : judge(checked);
      },
      conceal(request) {
        if (!forward) removeCarriedField(request, 'authorization');
      },
    };
  },
};

/** Empty: it is not base64 of UTF-8. */
function decoded(text: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return '';
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'));
  } catch {
    return '';
  }
}
