// Method certificate: the certificate of the client's connection, which the listener has verified.
import { Type } from '../../schema/type.ts';
import { invalidCredentials, type AuthenticationMethodDefinition } from './method.ts';

/** There is no registered scheme for it; clients are told what is missing. */
const CHALLENGE = 'Certificate';

export const certificate: AuthenticationMethodDefinition = {
  name: 'certificate',
  summary: 'Certificates of consumers, shown in the TLS handshake and verified by the listener.',
  schema: Type.Object({}, { additionalProperties: false, description: 'Certificates of consumers; no options' }),
  create(_options, { consumers }) {
    return {
      challenge: CHALLENGE,
      prove({ clientCertificate }) {
        if (clientCertificate === null) return null;
        return (
          consumers.findCertificate(clientCertificate) ??
          invalidCredentials(`nobody has the certificate sha256:${clientCertificate.fingerprint}`, CHALLENGE)
        );
      },
      conceal: () => undefined,
    };
  },
};
