// Sessions that ended, between the hosts of a fleet: each says what it has heard, and reads what the others have; where one side has lost some the other gives it back.
import type { Clock, Timer } from '../../../health/clock.ts';
import type { MarksPlace, SharedMarks, StoredMark } from '../../store/session-ends.ts';

const LOOK_MS = 1000;

export interface FleetMarksOptions {
  readonly clock: Clock;
  /** Connects; called once there is a route that needs it. */
  readonly open: () => SharedMarks;
  /** All that this host has. */
  readonly own: () => readonly StoredMark[];
  readonly onMarks: (marks: readonly StoredMark[]) => void;
  readonly tell: (text: string) => void;
}

export class FleetMarks {
  readonly #options: FleetMarksOptions;
  #shared: SharedMarks | null = null;
  #place: MarksPlace | null = null;
  /** Keys that were read since the numbers began; null: all that was there is read. */
  #seen: Set<string> | null = new Set();
  #unsaid: StoredMark[] = [];
  #timer: Timer | null = null;
  #running = false;
  #isAway = false;
  #closed = false;

  constructor(options: FleetMarksOptions) {
    this.#options = options;
  }

  /** From the first config on that needs it. */
  start(): void {
    if (this.#shared !== null || this.#closed) return;
    this.#shared = this.#options.open();
    void this.#look(this.#shared);
  }

  say(marks: readonly StoredMark[]): void {
    this.#unsaid.push(...marks);
    if (this.#shared !== null && this.#seen === null) void this.#look(this.#shared);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#shared?.close();
  }

  async #look(shared: SharedMarks): Promise<void> {
    if (this.#running || this.#closed) return;
    this.#running = true;
    this.#timer?.cancel();
    let goesOn = false;
    try {
      await this.#sayAll(shared);
      goesOn = await this.#read(shared);
      if (this.#isAway) this.#options.tell('ended sessions are told to the fleet again');
      this.#isAway = false;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      if (!this.#isAway && !this.#isEnding())
        this.#options.tell(`ended sessions cannot be told to the fleet, and are when it is reached: ${said}`);
      this.#isAway = true;
    }
    this.#running = false;
    if (!this.#isEnding()) this.#timer = this.#options.clock.after(goesOn ? 0 : LOOK_MS, () => void this.#look(shared), true);
  }

  #isEnding(): boolean {
    return this.#closed;
  }

  async #sayAll(shared: SharedMarks): Promise<void> {
    const marks = this.#unsaid;
    this.#unsaid = [];
    try {
      if (marks.length > 0) await shared.add(marks);
    } catch (error) {
      this.#unsaid = [...marks, ...this.#unsaid];
      throw error;
    }
  }

  /** Whether there is more to read or say at once. */
  async #read(shared: SharedMarks): Promise<boolean> {
    const { place, marks, isAll } = await shared.after(this.#place);
    if (this.#place !== null && this.#place.since !== place.since) this.#seen ??= new Set();
    this.#place = place;
    for (const { key } of marks) this.#seen?.add(key);
    if (marks.length > 0) this.#options.onMarks(marks);
    if (!isAll || this.#seen === null) return !isAll;
    const seen = this.#seen;
    this.#seen = null;
    const lost = this.#options.own().filter(({ key }) => !seen.has(key));
    this.#unsaid.push(...lost);
    return lost.length > 0;
  }
}
