// The example keys and signatures of RFC 9421 appendix B, as far as they are of requests or of an algorithm that no request there has.
import { aRequest } from './request.ts';
import type { CanonicalRequest } from '../../balancer/message/request.ts';

const pem = (text: string): string => `-----BEGIN PUBLIC KEY-----\n${text.replace(/.{64}/g, '$&\n')}\n-----END PUBLIC KEY-----\n`;

/** B.1.2, B.1.3 and B.1.4. */
export const PUBLIC_KEYS = {
  'test-key-rsa-pss': pem(
    'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+' +
      'oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W' +
      'Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI' +
      '2wIDAQAB',
  ),
  'test-key-ecc-p256': pem(
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==',
  ),
  'test-key-ed25519': pem('MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs='),
} as const;

/** B.1.5. */
export const SHARED_SECRET = Buffer.from(
  'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
  'base64',
);

export const CREATED_MS = 1_618_884_473_000;
export const BODY = '{"hello": "world"}';
const DIGEST = 'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:';

/** Of B.2, with the fields of a signature. */
export function signedExample(input: string, signature: string): CanonicalRequest {
  const fields = ['date', 'Tue, 20 Apr 2021 02:07:55 GMT', 'content-type', 'application/json', 'content-digest', DIGEST];
  return aRequest({
    ...{ method: 'POST', scheme: 'https', host: 'example.com', authority: 'example.com', path: '/foo' },
    ...{ query: 'param=Value&Pet=dog', hasQuery: true, bodyLength: BODY.length },
    fields: [...fields, 'signature-input', input, 'signature', signature],
  });
}

export interface Vector {
  readonly section: string;
  readonly input: string;
  /** In base64. */
  readonly signature: string;
  readonly base: readonly string[];
}

const PARAMETERS = ';created=1618884473;keyid="test-key-rsa-pss"';
const FULL = '("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length")';
const ED25519 = '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"';
const SHARED = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"';
const DATE = '"date": Tue, 20 Apr 2021 02:07:55 GMT';

export const VECTORS: readonly Vector[] = [
  {
    section: 'B.2.1',
    input: `()${PARAMETERS};nonce="b3k2pp5k7z-50gnwp.yemd"`,
    signature:
      'd2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrW' +
      'H5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WS' +
      'b/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==',
    base: [],
  },
  {
    section: 'B.2.2',
    input: `("@authority" "content-digest" "@query-param";name="Pet")${PARAMETERS};tag="header-example"`,
    signature:
      'LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0' +
      'nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ9' +
      '9PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==',
    base: ['"@authority": example.com', `"content-digest": ${DIGEST}`, '"@query-param";name="Pet": dog'],
  },
  {
    section: 'B.2.3',
    input: `${FULL}${PARAMETERS}`,
    signature:
      'bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DF' +
      'll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8' +
      'Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==',
    base: [
      ...[DATE, '"@method": POST', '"@path": /foo', '"@query": ?param=Value&Pet=dog', '"@authority": example.com'],
      ...['"content-type": application/json', `"content-digest": ${DIGEST}`, '"content-length": 18'],
    ],
  },
  {
    section: 'B.2.5',
    input: SHARED,
    signature: 'pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=',
    base: [DATE, '"@authority": example.com', '"content-type": application/json'],
  },
  {
    section: 'B.2.6',
    input: ED25519,
    signature: 'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==',
    base: [
      ...[DATE, '"@method": POST', '"@path": /foo', '"@authority": example.com'],
      ...['"content-type": application/json', '"content-length": 18'],
    ],
  },
];

/** B.2.4: of a response, and the only one of ECDSA. */
export const ECDSA = {
  signature: 'wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==',
  base: [
    '"@status": 200',
    '"content-type": application/json',
    '"content-digest": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:',
    '"content-length": 23',
    '"@signature-params": ("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
  ].join('\n'),
} as const;
