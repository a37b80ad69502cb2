// When the certificates of this host end, told in time: the files of the config, read again when they change.
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Clock } from '../../health/clock.ts';
import type { Config } from '../config/config.ts';

export interface UsedCertificate {
  /** `listener web`, `admin`, `agents`, `cluster eu-west`. */
  readonly use: string;
  readonly file: string;
  /** Until it or the first of its chain ends; negative: it has ended. */
  readonly leftMs: number;
}

/** How near the end of a certificate is, as alerts and events say it; null: it is far. */
export type CertificateUrgency = 'expires_soon' | 'expires' | 'expired';

const DAY_MS = 86_400_000;
/** Certificates of 90 days are renewed a month before their end, so that one with less than two weeks was forgotten. */
const SOON_MS = 14 * DAY_MS;
/** A weekend and the days in which somebody can still be asked. */
const URGENT_MS = 5 * DAY_MS;

export function urgencyOf(leftMs: number): CertificateUrgency | null {
  if (leftMs <= 0) return 'expired';
  return leftMs <= URGENT_MS ? 'expires' : leftMs <= SOON_MS ? 'expires_soon' : null;
}

/** `5 days`, `less than a day`. */
export function daysText(leftMs: number): string {
  const days = Math.floor(leftMs / DAY_MS);
  return days === 0 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`;
}

const LOOK_MS = 1000;
/** Files per look, so that thousands of them do not hold up the controller; the next look goes on where this one ended. */
const LOOKED_AT_ONCE = 50;

interface Known {
  /** Changes when the file does. */
  readonly stamp: string;
  /** Null: it cannot be read, which who serves with it tells. */
  readonly endsAtMs: number | null;
}

/** What is used of the file system. */
export interface CertificateFileReader {
  /** Throws when there is no such file. */
  stamp(file: string): string;
  read(file: string): Buffer;
}

const SYSTEM: CertificateFileReader = {
  stamp: (file) => {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs} ${size} ${ino}`;
  },
  read: (file) => readFileSync(file),
};

export class CertificateWatch {
  readonly #clock: Clock;
  readonly #config: () => Config;
  readonly #reader: CertificateFileReader;
  readonly #known = new Map<string, Known>();
  #lookedAtMs = -Infinity;
  #next = 0;

  constructor(clock: Clock, config: () => Config, reader: CertificateFileReader = SYSTEM) {
    this.#clock = clock;
    this.#config = config;
    this.#reader = reader;
  }

  /** All that can be read, the first to end first. Looks at the files as often as makes sense, however often it is asked. */
  used(): readonly UsedCertificate[] {
    const uses = usesOf(this.#config());
    this.#look(uses.map(({ file }) => file));
    const wallMs = this.#clock.wallMs();
    return uses
      .flatMap(({ use, file }) => {
        const endsAtMs = this.#known.get(file)?.endsAtMs ?? null;
        return endsAtMs === null ? [] : [{ use, file, leftMs: endsAtMs - wallMs }];
      })
      .sort((one, other) => one.leftMs - other.leftMs);
  }

  #look(files: readonly string[]): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#lookedAtMs < LOOK_MS || files.length === 0) return;
    this.#lookedAtMs = nowMs;
    for (const file of this.#known.keys()) if (!files.includes(file)) this.#known.delete(file);
    const unknown = files.filter((file) => !this.#known.has(file)).slice(0, LOOKED_AT_ONCE);
    const again = Array.from(
      { length: Math.min(LOOKED_AT_ONCE, files.length) },
      (_, index) => files[(this.#next + index) % files.length] ?? '',
    );
    this.#next = (this.#next + again.length) % files.length;
    for (const file of new Set([...unknown, ...again])) this.#read(file);
  }

  #read(file: string): void {
    try {
      const stamp = this.#reader.stamp(file);
      if (this.#known.get(file)?.stamp === stamp) return;
      this.#known.set(file, { stamp, endsAtMs: firstEndMs(this.#reader.read(file)) });
    } catch {
      this.#known.set(file, { stamp: '', endsAtMs: null });
    }
  }
}

/** A client refuses the whole chain when one of it has ended, and those above are often the older ones. */
function firstEndMs(pem: Buffer): number {
  const blocks = pem.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return Math.min(...[pem, ...blocks.slice(1)].map((block) => Date.parse(new X509Certificate(block).validTo)));
}

function usesOf({ listeners, admin, agents, clusters }: Config): readonly { readonly use: string; readonly file: string }[] {
  const of = (use: string, files: readonly { readonly cert: string }[]) => files.map(({ cert }) => ({ use, file: cert }));
  return [
    ...listeners.flatMap(({ name, tls }) => of(`listener ${name}`, tls?.certificates ?? [])),
    ...of('admin', admin.tls === null ? [] : [admin.tls]),
    ...of('agents', agents?.tls?.certificates ?? []),
    ...Object.values(clusters).flatMap(({ name, tls }) => {
      const { certificate } = tls;
      return of(`cluster ${name}`, certificate === null ? [] : [certificate]);
    }),
  ];
}
