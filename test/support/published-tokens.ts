// The example tokens that RFC 7515 appendix A and RFC 7520 section 4 publish, with the keys they are checked by.

/** Of section A.1: 64 bytes, of which most are no text. */
export const SECRET_KEY = {
  kty: 'oct',
  k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
} as const;

/** Of section A.2. */
export const RSA_KEY = {
  kty: 'RSA',
  n:
    'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOW' +
    'vG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k' +
    'G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
  e: 'AQAB',
} as const;

/** Of section A.3. */
export const P256_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
} as const;

/** Of section A.4. */
const P521_KEY = {
  kty: 'EC',
  crv: 'P-521',
  x: 'AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
  y: 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2',
} as const;

/** All of appendix A: whoever lists them all must still believe each for its own algorithm alone. */
export const APPENDIX_KEYS = [SECRET_KEY, RSA_KEY, P256_KEY, P521_KEY] as const;

/** `{"iss":"joe", "exp":1300819380, "http://example.com/is_root":true}`, with the line ends of the RFC. */
export const JOE = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
export const JOE_UNTIL_MS = 1_300_819_380_000;

export interface PublishedToken {
  readonly section: string;
  readonly algorithm: string;
  readonly token: string;
}

/** Those whose payload is claims. */
export const CLAIMS: readonly PublishedToken[] = [
  {
    section: 'RFC 7515 A.1',
    algorithm: 'HS256',
    token: `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
  },
  {
    section: 'RFC 7515 A.2',
    algorithm: 'RS256',
    token:
      `eyJhbGciOiJSUzI1NiJ9.${JOE}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5juj` +
      'Gbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi' +
      '12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
  },
  {
    section: 'RFC 7515 A.3',
    algorithm: 'ES256',
    token: `eyJhbGciOiJFUzI1NiJ9.${JOE}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
  },
];

/** A.5: nobody signed it. */
export const UNSECURED = `eyJhbGciOiJub25lIn0.${JOE}.`;

/** RFC 7520 sections 3.1, 3.3 and 3.5. The first two have the same id, as they do there. */
const COOKBOOK_KEYS = [
  {
    kty: 'EC',
    kid: 'bilbo.baggins@hobbiton.example',
    use: 'sig',
    crv: 'P-521',
    x: 'AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt',
    y: 'AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1',
  },
  {
    kty: 'RSA',
    kid: 'bilbo.baggins@hobbiton.example',
    use: 'sig',
    n:
      'n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2l' +
      'bzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3' +
      '-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw',
    e: 'AQAB',
  },
  {
    kty: 'oct',
    kid: '018c0ae5-4d9b-471b-bfd6-eef314bc7037',
    use: 'sig',
    alg: 'HS256',
    k: 'hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg',
  },
] as const;

export const ALL_KEYS = [...APPENDIX_KEYS, ...COOKBOOK_KEYS] as const;

/** `It’s a dangerous business, Frodo, going out your door. …` */
const PROSE =
  'SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBr' +
  'ZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4';

const [ES512_SIGNATURE, HS256_HEADER, HS256_SIGNATURE] = [
  'AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD89' +
    '0jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2',
  'eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9',
  's0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0',
];

/** Those that are signed well, and whose payload is no claims. */
export const NO_CLAIMS: readonly PublishedToken[] = [
  {
    section: 'RFC 7515 A.4',
    algorithm: 'ES512',
    token:
      'eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSw' +
      'FKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn',
  },
  {
    section: 'RFC 7520 4.1',
    algorithm: 'RS256',
    token:
      `eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${PROSE}.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxn` +
      'W2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCr' +
      'UCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJu' +
      'shZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg',
  },
  {
    section: 'RFC 7520 4.2',
    algorithm: 'PS384',
    token:
      `eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${PROSE}.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42` +
      'miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442Z' +
      'dNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0' +
      'uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw',
  },
  {
    section: 'RFC 7520 4.3',
    algorithm: 'ES512',
    token: `eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${PROSE}.${ES512_SIGNATURE}`,
  },
  { section: 'RFC 7520 4.4', algorithm: 'HS256', token: `${HS256_HEADER}.${PROSE}.${HS256_SIGNATURE}` },
];

const flattened = { payload: PROSE, protected: HS256_HEADER, signature: HS256_SIGNATURE };

/** Forms of a signature that no bearer of a token may use (RFC 7519 section 1: compact alone). */
export const OTHER_FORMS: Readonly<Record<string, string>> = {
  'RFC 7520 4.5, compact, its content elsewhere': `${HS256_HEADER}..${HS256_SIGNATURE}`,
  'RFC 7520 4.5, flattened, its content elsewhere': JSON.stringify({ protected: HS256_HEADER, signature: HS256_SIGNATURE }),
  'RFC 7520 4.4, flattened': JSON.stringify(flattened),
  'RFC 7520 4.4, general': JSON.stringify({
    payload: PROSE,
    signatures: [{ protected: HS256_HEADER, signature: HS256_SIGNATURE }],
  }),
  'RFC 7520 4.6, its key id unprotected': JSON.stringify({
    payload: PROSE,
    protected: 'eyJhbGciOiJIUzI1NiJ9',
    header: { kid: '018c0ae5-4d9b-471b-bfd6-eef314bc7037' },
    signature: 'bWUSVaxorn7bEF1djytBd0kHv70Ly5pvbomzMWSOr20',
  }),
  'RFC 7520 4.8, more than one signature': JSON.stringify({
    payload: PROSE,
    signatures: [
      { header: { alg: 'ES512', kid: 'bilbo.baggins@hobbiton.example' }, signature: ES512_SIGNATURE },
      { protected: HS256_HEADER, signature: HS256_SIGNATURE },
    ],
  }),
  'RFC 7797 4.2, its payload as it is':
    'eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.This is the payload string!.ciks0B6Hs-amhOqxI5_iG6mPKnMDlWCb7J2Wu7mtIcg',
};
