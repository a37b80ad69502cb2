// What the filters login and authenticate of one route say to each other: who has no session, and where a browser may go to get one.
import type { CanonicalRequest } from '../../message/request.ts';
import type { RequestVerdict } from '../filter.ts';

/** Sends a browser to sign in. */
export type SignIn = () => RequestVerdict | Promise<RequestVerdict>;

export class SignIns {
  /** Whether the route has the filter login: a session is one more method of authenticate. */
  readonly areOffered: boolean;
  /** Whether the route has the filter authenticate, which decides about callers without a session. */
  readonly areDecidedLater: boolean;
  readonly #offers = new WeakMap<CanonicalRequest, SignIn>();

  constructor(filters: readonly { readonly name: string }[]) {
    this.areOffered = filters.some(({ name }) => name === 'login');
    this.areDecidedLater = filters.some(({ name }) => name === 'authenticate');
  }

  /** For a browser that shows nothing else either. */
  offer(request: CanonicalRequest, signIn: SignIn): void {
    this.#offers.set(request, signIn);
  }

  /** Null: none was offered. */
  of(request: CanonicalRequest): SignIn | null {
    return this.areOffered ? (this.#offers.get(request) ?? null) : null;
  }
}
