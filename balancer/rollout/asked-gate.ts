// A gate that asks: what one answer says, and what answers in a row come to. Asking is the controller's.
import type { AskedGateConfig, Bound } from '../config/gate-config.ts';
import type { Evidence, GateAtWork, GateKind, Judgement, Reading } from './gate.ts';

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Whom a question is about. */
export interface About {
  readonly service: string;
  readonly version: string;
}

/** How one kind of source is asked and read. Pure. */
export interface SourceKind<S extends AskedGateConfig['source']> {
  urlOf(source: S, about: About): string;
  read(source: S, bound: Bound, answer: Answer): Judgement;
}

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Those that the config declares, by their names; what is none of these names is no gate of this kind. */
export function askedGates(declared: Pick<ReadonlySet<string>, 'has'>): GateKind {
  return {
    forms: ['the name of one that the config declares under gates'],
    read: (text) => (NAME.test(text) && declared.has(text) ? { text, begin: () => new AskedAtWork(text) } : null),
  };
}

/** The newest answer has the say. Where several bad ones in a row are needed, one that says nothing neither counts nor interrupts. */
class AskedAtWork implements GateAtWork {
  readonly #name: string;
  #newest: Reading | null = null;
  #bad = 0;

  constructor(name: string) {
    this.#name = name;
  }

  add({ readings }: Evidence): void {
    const reading = readings?.get(this.#name);
    if (reading === undefined) return;
    this.#newest = reading;
    if (reading.verdict === 'fail') this.#bad += 1;
    if (reading.verdict === 'pass') this.#bad = 0;
  }

  judge(): Judgement {
    if (this.#newest === null) return { verdict: 'insufficient', says: 'there is no answer yet' };
    const { verdict, says, failures } = this.#newest;
    if (verdict === 'fail' && this.#bad < failures)
      return { verdict: 'insufficient', says: `${says}; ${this.#bad} of ${failures} in a row` };
    return { verdict, says };
  }
}

/** Names are DNS labels, so nothing in them has to be escaped. */
export function withNames(text: string, { service, version }: About): string {
  return text.replaceAll('$service', service).replaceAll('$version', version);
}

/** Strictly between the bounds; a figure that is none says nothing. */
export function judgeFigure(figure: number, { above, below }: Bound): Judgement {
  if (Number.isNaN(figure)) return { verdict: 'insufficient', says: 'the figure is NaN' };
  const right = [...(above === null ? [] : [`above ${above}`]), ...(below === null ? [] : [`below ${below}`])].join(' and ');
  const good = (above === null || figure > above) && (below === null || figure < below);
  return { verdict: good ? 'pass' : 'fail', says: `${Number(figure.toPrecision(6))}, right is ${right}` };
}

/** What others wrote, fit for one line of a record. */
export function quoted(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

export function nothingSaid(says: string): Judgement {
  return { verdict: 'insufficient', says };
}

/** Null: it is no JSON. */
export function parseJson(body: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(body) };
  } catch {
    return null;
  }
}
