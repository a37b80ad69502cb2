// What the rest of the agent asks the API server for, and how an answer that is none is told.

/** Why there is no answer. */
export interface ApiFailure {
  readonly ok: false;
  /** Of the answer; 0: none came. */
  readonly status: number;
  /** One line for people. */
  readonly problem: string;
  /** The server asks to be left alone for so long; null: it does not say. */
  readonly retryAfterMs: number | null;
}

export type ApiAnswer = { readonly ok: true; readonly value: unknown } | ApiFailure;

export interface StreamHandlers {
  /** The server answered with 200. */
  onOpen(): void;
  /** A line, as JSON. */
  onLine(value: unknown): void;
  /** Exactly once, the last call. Null: the server ended it in order. */
  onEnd(failure: ApiFailure | null): void;
}

export interface ApiServer {
  /** A JSON document, or the text of another answer. Never rejects. */
  get(path: string): Promise<ApiAnswer>;
  /** One JSON document a line until either side ends it. Returns what ends it; `onEnd` is not called after that. */
  stream(path: string, handlers: StreamHandlers): () => void;
}

/** The version that was asked for is not known any more (410): all has to be listed again. */
export function isExpired({ status }: ApiFailure): boolean {
  return status === 410;
}

/** The server is there and has nothing of this kind for the agent: not installed (404), or not allowed (403). */
export function isDenied({ status }: ApiFailure): boolean {
  return status === 403 || status === 404 || status === 405;
}
