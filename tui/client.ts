// The admin API as commands and the dashboard see it. The only importer of undici in the terminal.
import type {
  AuditVerification,
  ChangeRequest,
  ChangeResult,
  ConfigApplyResult,
  EventView,
  ListView,
  StatusView,
  TokenRequest,
  TokenView,
} from '../balancer/controller/api/views.ts';

/** What `GET /v1/<kind>` lists. */
export type ListKind = 'clusters' | 'services' | 'routes' | 'edges' | 'workers' | 'agents' | 'events' | 'revisions';

/**
 * Every method throws CommandFailure: exit code 3 when the appliance cannot be reached, ProblemFailure when it refuses.
 * The streams end by `signal` without an error.
 */
export interface AdminClient {
  /** Where it is, as a person would say it: `unix:/var/lib/weir/admin.sock`, `https://edge-1:7070`. */
  readonly where: string;
  status(): Promise<StatusView>;
  /** `limit` is for events and revisions, newest first. */
  list<T>(kind: ListKind, options?: { readonly name?: string; readonly limit?: number }): Promise<ListView<T>>;
  change(request: ChangeRequest): Promise<ChangeResult>;
  /** A status once a second and at once on an event, until `signal` aborts or the appliance goes away. */
  watch(signal: AbortSignal): AsyncIterable<StatusView>;
  followEvents(signal: AbortSignal): AsyncIterable<EventView>;
  configText(): Promise<string>;
  applyConfig(text: string, dryRun: boolean): Promise<ConfigApplyResult>;
  verifyAudit(): Promise<AuditVerification>;
  tokens(): Promise<ListView<TokenView>>;
  createToken(request: TokenRequest): Promise<{ readonly token: TokenView; readonly secret: string }>;
  revokeToken(name: string): Promise<void>;
  close(): Promise<void>;
}
