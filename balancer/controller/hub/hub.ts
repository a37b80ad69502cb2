// The hub of the agents: one of those that connect for a cluster speaks for it, and what that one reports is kept.
import { randomUUID } from 'node:crypto';
import type { WebSocket } from '@fastify/websocket';
import { type AgentProtocol, type CapacitySnapshot, HUB_CLOSE, type HubReply } from '../../../agent/protocol.ts';
import type { Timer } from '../../../health/clock.ts';
import type { Bind } from '../../config/config.ts';
import type { EventCode } from '../../event-codes.ts';
import type { AgentState, CapacityReport } from '../../steer/plan-shape.ts';
import type { AgentView, AgentWishView } from '../api/agent-view.ts';
import { AgentReports } from './agent-reports.ts';
import { AgentSession, type Verdict } from './agent-session.ts';
import { decodeMessage, type MessageRejection } from './decode-snapshot.ts';
import { type Identity, type IdentityParts, type Refusal, refusalOf, REFUSALS } from './identity.ts';
import { HubServer, type HubServerParts } from './hub-server.ts';
import { type ListedWish, textOf, wishOf } from './wish-list.ts';

/** Why a connection or a message was refused: the `reason` of `weir_agent_rejections_total`. */
export type HubRejection = MessageRejection | Refusal | 'too_fast' | 'broken_frame' | 'too_large';

export interface AgentEvent {
  readonly cluster: string;
  readonly code: EventCode;
  /** One line for the operators; null: only numbers changed. */
  readonly text: string | null;
}

export interface HubParts extends Pick<HubServerParts, 'bind' | 'tls' | 'clock' | 'log'>, Omit<IdentityParts, 'wallMs'> {
  /** Name of this host, for people. */
  readonly host: string;
  /** The most that is believed of a cluster; null: anything. */
  readonly ceilingRps: (cluster: string) => number | null;
  /** What this host wishes for of a cluster now. */
  readonly wishes: (cluster: string) => readonly ListedWish[];
  /** What this host sees of its own requests to a cluster; absent or null: it does not say. */
  readonly observed?: (cluster: string) => HubReply['observed'] | null;
  /** `weir_agent_messages_total`. */
  readonly countMessage: (cluster: string, outcome: 'accepted' | 'rejected') => void;
  /** `weir_agent_rejections_total`. */
  readonly countRejection: (reason: HubRejection) => void;
  /** Each report that counts. */
  readonly onSnapshot?: (snapshot: CapacitySnapshot) => void;
  /** After a state or a capacity changed. */
  readonly onChange: (event: AgentEvent) => void;
}

export interface Hub {
  /** Rejects when a certificate cannot be used or the address is taken. Resolves with where it listens. */
  start(): Promise<Bind>;
  /** Ends all connections. */
  close(): Promise<void>;
  /** One per cluster of the config, in its order. */
  agents(): readonly AgentView[];
  /** The last report of each cluster, fresh or not; a cluster without one is not named. */
  reports(): Readonly<Record<string, CapacityReport & { readonly periodMs: number }>>;
  /** Requests per second that are declared by fresh and stale reports; a cluster without one is not named. */
  capacity(): Readonly<Record<string, number>>;
}

/** How often states are looked at, as an agent that falls silent sends nothing to act on. */
const LOOK_MS = 500;
/** Connections of one cluster that have not reported anything yet; the oldest goes first. */
const MOST_WAITING = 4;

export function createHub(parts: HubParts): Hub {
  return new AgentHub(parts);
}

interface Connected {
  readonly session: AgentSession;
  readonly identity: Identity;
  /** What it was told to be wished for, as text to compare. */
  told: string;
}

/** The connections of one cluster. */
interface OfCluster {
  /** Whose reports count; null: nobody's yet. */
  speaker: Connected | null;
  /** Oldest first. */
  readonly others: Set<Connected>;
}

class AgentHub implements Hub {
  readonly #parts: HubParts;
  readonly #server: HubServer;
  readonly #identity: IdentityParts;
  readonly #reports: AgentReports;
  readonly #connected = new Map<string, OfCluster>();
  /** States as they were last told, and what was told of claims above the ceiling. */
  readonly #told = new Map<string, { readonly state: AgentState; readonly held: boolean }>();
  /** Tells this hub from all others, and from the one before it. */
  readonly #id = randomUUID();
  #timer: Timer | null = null;
  #closed = false;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.#identity = { ...parts, wallMs: () => parts.clock.wallMs() };
    this.#reports = new AgentReports(parts.ceilingRps);
    this.#server = new HubServer({
      ...parts,
      refusalOf: (identity) => refusalOf(identity, this.#identity),
      onRefused: parts.countRejection,
      onBroken: parts.countRejection,
      onConnection: (socket, identity, protocol) => this.#onConnection(socket, identity, protocol),
      onTrustChanged: () => this.#closeCertified(),
    });
  }

  async start(): Promise<Bind> {
    const bind = await this.#server.start();
    this.#look();
    return bind;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#server.close();
  }

  agents(): readonly AgentView[] {
    const { clock, clusters } = this.#parts;
    const nowMs = clock.nowMs();
    return [...clusters()].map((cluster) => {
      const wishes = this.#wishViews(cluster);
      return {
        ...this.#reports.view(cluster, nowMs),
        connected: (this.#connected.get(cluster)?.speaker ?? null) !== null,
        ...(wishes.length === 0 ? {} : { wishes }),
      };
    });
  }

  reports(): Readonly<Record<string, CapacityReport & { readonly periodMs: number }>> {
    return this.#reports.reports(this.#parts.clock.nowMs());
  }

  capacity(): Readonly<Record<string, number>> {
    return this.#reports.capacity(this.#parts.clock.nowMs());
  }

  #onConnection(socket: WebSocket, identity: Identity, protocol: AgentProtocol): void {
    const { clock, host, observed } = this.#parts;
    const { cluster } = identity;
    const hello = protocol === 1 ? null : ({ kind: 'hello', session: randomUUID(), hub: this.#id, host } as const);
    const session = new AgentSession(
      socket,
      clock,
      // Only who counts endpoints can learn from it.
      { protocol, hello, observed: () => (this.#reports.last(cluster)?.services === undefined ? null : (observed?.(cluster) ?? null)) },
      {
        onMessage: (text) => this.#onMessage(connected, text),
        onRefused: (reason) => this.#refuse(cluster, reason),
        onClosed: () => this.#onClosed(connected),
      },
    );
    const connected: Connected = { session, identity, told: '' };
    const of = this.#of(cluster);
    of.others.add(connected);
    const [oldest] = of.others;
    if (of.others.size > MOST_WAITING && oldest !== undefined)
      this.#end(oldest, HUB_CLOSE.replaced, 'newer connections wait for this cluster');
    // Protocol 1 has no epoch: the newest connection wins, as an agent that comes back must not wait for its old connection to be found dead.
    if (protocol === 1 && of.speaker?.session.protocol !== 2) this.#speak(of, connected);
    session.start();
    this.#wish(connected);
  }

  #onClosed(connected: Connected): void {
    const of = this.#connected.get(connected.identity.cluster);
    if (of === undefined) return;
    of.others.delete(connected);
    if (of.speaker === connected) {
      of.speaker = null;
      // Its report counts for a while yet; who watches should know at once.
      if (!this.#closed)
        this.#parts.onChange({
          cluster: connected.identity.cluster,
          code: 'agent.left',
          text: `the agent of ${connected.identity.cluster} has left`,
        });
    }
    if (of.speaker === null && of.others.size === 0) this.#connected.delete(connected.identity.cluster);
  }

  #onMessage(connected: Connected, text: string): Verdict {
    const { clock, countMessage, onChange, onSnapshot } = this.#parts;
    const { session, identity } = connected;
    const { cluster } = identity;
    const of = this.#of(cluster);
    const nowMs = clock.nowMs();
    const last = this.#reports.last(cluster);
    const isAlive =
      (of.speaker !== null && of.speaker !== connected) || (of.speaker === null && this.#reports.state(cluster, nowMs) === 'fresh');
    const expected = {
      cluster,
      protocol: session.protocol,
      session: session.session,
      last: last === null ? null : { said: last, isAlive },
    };
    const decoded = decodeMessage(text, expected);
    if (!decoded.ok) {
      this.#refuse(cluster, decoded.reason);
      const verdict = { sequence: decoded.sequence, refused: decoded.reason };
      if (decoded.reason !== 'epoch' || of.speaker === null || of.speaker === connected) return verdict;
      of.others.delete(connected);
      return { ...verdict, ends: { code: HUB_CLOSE.superseded, reason: 'an agent that began later speaks for this cluster' } };
    }
    const { snapshot } = decoded;
    const capacityBefore = this.#reports.capacityOf(cluster, nowMs);
    this.#reports.accept(snapshot, { nowMs, wallMs: clock.wallMs(), roundTripMs: session.roundTripMs });
    countMessage(cluster, 'accepted');
    if (of.speaker !== connected) this.#speak(of, connected);
    onSnapshot?.(snapshot);
    this.#tell(cluster);
    if (this.#reports.capacityOf(cluster, nowMs) !== capacityBefore) onChange({ cluster, code: 'agent.fresh', text: null });
    return { sequence: snapshot.sequence, refused: null };
  }

  /** From now on this one speaks for the cluster. */
  #speak(of: OfCluster, connected: Connected): void {
    const before = of.speaker;
    of.others.delete(connected);
    of.speaker = connected;
    if (before !== null) this.#end(before, HUB_CLOSE.replaced, 'another agent reports for this cluster');
  }

  #refuse(cluster: string, reason: HubRejection): void {
    this.#parts.countMessage(cluster, 'rejected');
    this.#parts.countRejection(reason);
  }

  #of(cluster: string): OfCluster {
    const known = this.#connected.get(cluster);
    if (known !== undefined) return known;
    const of: OfCluster = { speaker: null, others: new Set() };
    this.#connected.set(cluster, of);
    return of;
  }

  #end(connected: Connected, code: number, reason: string): void {
    this.#of(connected.identity.cluster).others.delete(connected);
    connected.session.close(code, reason);
  }

  /** Tells what moved with time, and lets go of agents whose token, certificate or cluster is no more. */
  #look(): void {
    for (const [cluster, of] of [...this.#connected]) {
      for (const connected of of.speaker === null ? [...of.others] : [of.speaker, ...of.others]) {
        const refusal = refusalOf(connected.identity, this.#identity);
        if (refusal === null) this.#wish(connected);
        else {
          if (of.speaker === connected) this.#reports.release(cluster);
          this.#end(connected, HUB_CLOSE.notWanted, REFUSALS[refusal].message);
        }
      }
    }
    const wanted = this.#parts.clusters();
    for (const cluster of this.#reports.clusters) {
      if (wanted.has(cluster)) this.#tell(cluster);
      else this.#forget(cluster);
    }
    this.#timer = this.#parts.clock.after(LOOK_MS, () => this.#look(), true);
  }

  /** Who was revoked since must not stay connected; all others come back at once. */
  #closeCertified(): void {
    for (const { speaker, others } of [...this.#connected.values()])
      for (const connected of speaker === null ? [...others] : [speaker, ...others])
        if (connected.identity.certificate !== null)
          this.#end(connected, HUB_CLOSE.notWanted, 'the authorities of certificates have changed');
  }

  #wish(connected: Connected): void {
    const listed = this.#parts.wishes(connected.identity.cluster);
    const text = JSON.stringify(listed);
    if (text === connected.told) return;
    connected.told = text;
    const wallMs = this.#parts.clock.wallMs();
    connected.session.wish(listed.map((one) => wishOf(one, wallMs)));
  }

  #wishViews(cluster: string): readonly AgentWishView[] {
    const wallMs = this.#parts.clock.wallMs();
    const answers = this.#reports.last(cluster)?.wishes?.answers ?? [];
    return this.#parts.wishes(cluster).map((listed) => {
      const answer = answers.find(({ id }) => id === listed.id);
      const endsInSeconds = listed.endsAtMs === null ? null : Math.max(0, Math.round((listed.endsAtMs - wallMs) / 1000));
      return { id: listed.id, text: textOf(listed), state: answer?.state ?? 'asked', detail: answer?.detail ?? '', endsInSeconds };
    });
  }

  #forget(cluster: string): void {
    this.#reports.forget(cluster);
    this.#told.delete(cluster);
  }

  #tell(cluster: string): void {
    const { clock, onChange } = this.#parts;
    const before = this.#told.get(cluster) ?? { state: 'absent', held: false };
    const state = this.#reports.state(cluster, clock.nowMs());
    const claim = this.#reports.claimAbove(cluster);
    const held = claim !== null;
    if (state === before.state && held === before.held) return;
    this.#told.set(cluster, { state, held });
    if (state !== before.state) onChange({ cluster, code: `agent.${state}`, text: `the agent of ${cluster} is ${state}` });
    if (claim === null || before.held) return;
    const text = `the agent of ${cluster} claims ${claim.claimedRps} requests/s; it counts as its ceiling, ${claim.ceilingRps}`;
    onChange({ cluster, code: 'agent.ceiling', text });
  }
}
