// A generation on the wire: its routes in pieces, then the rest of the config, so that no message keeps a worker from its requests for long.
import type { Config, RouteConfig } from './config/config.ts';
import { routeTexts } from './config/route-texts.ts';

/** Routes of the generation that follows, in their order. */
export interface RoutesMessage {
  readonly type: 'routes';
  readonly generation: number;
  readonly routes: readonly RouteConfig[];
}

/** The config to serve with, in full, but for its routes, which came in so many pieces. Numbers only rise. */
export interface GenerationMessage {
  readonly type: 'generation';
  readonly generation: number;
  readonly config: Config;
  readonly pieces: number;
}

/** The lines to send, each a message. Made from texts that the config has already. */
export function encodeGeneration(generation: number, config: Config): readonly string[] {
  const pieces = routeTexts(config.routes);
  const message: GenerationMessage = { type: 'generation', generation, config: { ...config, routes: [] }, pieces: pieces.length };
  return [...pieces.map((routes) => `{"type":"routes","generation":${generation},"routes":${routes}}\n`), `${JSON.stringify(message)}\n`];
}

/** Puts a generation together again. */
export class GenerationAssembly {
  #generation = 0;
  #pieces: (readonly RouteConfig[])[] = [];

  take({ generation, routes }: RoutesMessage): void {
    if (generation !== this.#generation) this.#pieces = [];
    this.#generation = generation;
    this.#pieces.push(routes);
  }

  /** Throws when pieces are missing: the link has to start over. */
  complete(message: GenerationMessage): GenerationMessage {
    const pieces = message.generation === this.#generation ? this.#pieces : [];
    this.#pieces = [];
    if (pieces.length !== message.pieces)
      throw new Error(`generation ${message.generation} came with ${pieces.length} of ${message.pieces} pieces`);
    return { ...message, config: { ...message.config, routes: pieces.flat() } };
  }
}
