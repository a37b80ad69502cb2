// Certificates that come near their end, end, or are renewed: each told once.
import type { EventCode } from '../event-codes.ts';
import { daysText, urgencyOf, type CertificateUrgency, type UsedCertificate } from './certificate-watch.ts';
import type { EventLog } from './events.ts';

const CODES: Readonly<Record<CertificateUrgency, EventCode>> = {
  expires_soon: 'security.certificate_expires_soon',
  expires: 'security.certificate_expires',
  expired: 'security.certificate_expired',
};

export class CertificateNews {
  /** Use and file → as last told. */
  #told: ReadonlyMap<string, CertificateUrgency> = new Map();

  look(used: readonly UsedCertificate[], events: Pick<EventLog, 'add'>): void {
    const told = new Map<string, CertificateUrgency>();
    for (const { use, file, leftMs } of used) {
      const what = `the certificate of ${use}`;
      const key = `${use}\n${file}`;
      const before = this.#told.get(key);
      const urgency = urgencyOf(leftMs);
      if (urgency !== null) told.set(key, urgency);
      if (urgency === (before ?? null)) continue;
      if (urgency === null) events.add('security.certificate_renewed', `${what} is renewed, for ${daysText(leftMs)}: ${file}`);
      else events.add(CODES[urgency], `${what} ${urgency === 'expired' ? 'has expired' : `expires in ${daysText(leftMs)}`}: ${file}`);
    }
    this.#told = told;
  }
}
