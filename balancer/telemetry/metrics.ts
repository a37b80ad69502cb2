// Every metric of weir, in one list. docs/metrics.md is generated from it.

export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** The bounded label sets; nothing else may label a metric. */
export type Label =
  | 'listener'
  | 'route'
  | 'service'
  | 'version'
  | 'cluster'
  | 'region'
  | 'host'
  | 'worker'
  | 'filter'
  | 'policy'
  | 'consumer'
  | 'state'
  | 'code_class'
  | 'outcome'
  | 'reason';

export interface MetricDefinition {
  readonly kind: MetricKind;
  readonly help: string;
  readonly labels: readonly Label[];
  /** Upper bounds; histograms only. */
  readonly buckets?: readonly number[];
}

/** Seconds; finer than OpenTelemetry's advice where an edge needs it. */
const LATENCY_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5, 7.5, 10,
  30, 60,
] as const;

export const METRICS = {
  weir_requests_total: {
    kind: 'counter',
    help: 'Requests that were answered, by who answered and with what class of status (0xx: closed without an answer); a call of gRPC by the HTTP status that its own stands for',
    labels: ['route', 'service', 'version', 'cluster', 'code_class'],
  },
  weir_client_region_requests_total: {
    kind: 'counter',
    help: 'Requests of services that go to the nearest place, by the region that the config has for the address of the client (empty: none)',
    labels: ['service', 'region'],
  },
  weir_request_duration_seconds: {
    kind: 'histogram',
    help: 'From the first byte of the request head to the last byte of the response',
    labels: ['service', 'version', 'cluster'],
    buckets: LATENCY_BUCKETS,
  },
  weir_upstream_answer_seconds: {
    kind: 'histogram',
    help: 'From a request sent to the head of its answer, per try; a try that was given up counts with the time it had',
    labels: ['service', 'version', 'cluster'],
    buckets: LATENCY_BUCKETS,
  },
  weir_upstream_errors_total: {
    kind: 'counter',
    help: 'Answers 5xx of single tries, of gRPC by their own status, those that a retry hid from the client included',
    labels: ['service', 'version', 'cluster'],
  },
  weir_upstream_lost_tries_total: {
    kind: 'counter',
    help: 'Tries that came to no answer for an error of the path: connect, TLS, reset, time-out',
    labels: ['service', 'version', 'cluster'],
  },
  weir_local_replies_total: {
    kind: 'counter',
    help: 'Responses made by weir itself, by the code of the error catalogue',
    labels: ['listener', 'reason'],
  },
  weir_upstream_failures_total: {
    kind: 'counter',
    help: 'Attempts that failed, by the code of the error catalogue',
    labels: ['cluster', 'reason'],
  },
  weir_retries_total: {
    kind: 'counter',
    help: 'Attempts beyond the first, retries refused for want of budget, and requests that waited for room in it',
    labels: ['service', 'outcome'],
  },
  weir_hedges_total: {
    kind: 'counter',
    help: 'Second attempts beside a first one that took its time: sent, won (they answered first), and refused for want of budget',
    labels: ['service', 'outcome'],
  },
  weir_assigned_requests_total: {
    kind: 'counter',
    help: 'Requests and passed-through connections that a rule of `assign` took before the split, by who answered; shares are observed without them',
    labels: ['service', 'version', 'cluster'],
  },
  weir_assign_unavailable_total: {
    kind: 'counter',
    help: 'Requests that a rule of `assign` took for a version that had no place for them',
    labels: ['service', 'version'],
  },
  weir_mirror_requests_total: {
    kind: 'counter',
    help: 'Copies of requests to a version: sent, and of these answered, lost, late, too_long (the answer was not read to its end), gave_way (a request needed the room)',
    labels: ['service', 'version', 'outcome'],
  },
  weir_mirror_dropped_total: {
    kind: 'counter',
    help: 'Copies that were not sent: concurrency, no_place, no_capacity (nothing to spare by the plan), no_room (limits or connections of the endpoint), internal',
    labels: ['service', 'version', 'reason'],
  },
  weir_mirror_comparisons_total: {
    kind: 'counter',
    help: 'Answers to copies held against those that users got: same, status, body, lost (the copy had no answer); too_large and no_original are not compared',
    labels: ['service', 'version', 'outcome'],
  },
  weir_mirror_answer_seconds: {
    kind: 'histogram',
    help: 'From a copy begun to the head of its answer, of the pairs that were compared',
    labels: ['service', 'version'],
    buckets: LATENCY_BUCKETS,
  },
  weir_mirror_original_seconds: {
    kind: 'histogram',
    help: 'The same of the answers that users got to these requests',
    labels: ['service', 'version'],
    buckets: LATENCY_BUCKETS,
  },
  weir_assignments_total: {
    kind: 'counter',
    help: 'New clients of a service with sticky that were given a place: without a cookie that counts, or with a key that the worker had not seen for a minute; by these the split is met, requests follow as old clients go',
    labels: ['service', 'version', 'cluster'],
  },
  weir_pins_total: {
    kind: 'counter',
    help: 'Requests with a pin: kept, void (of another epoch or key), broken because its place is down, evicted because its place has weight 0',
    labels: ['service', 'outcome'],
  },
  weir_ejections_total: {
    kind: 'counter',
    help: 'Endpoints and targets taken out by outlier detection on real traffic',
    labels: ['cluster', 'reason'],
  },
  weir_circuit_changes_total: {
    kind: 'counter',
    help: 'Circuits of a version in a cluster that opened, or closed after trials, in a worker',
    labels: ['service', 'version', 'cluster', 'state'],
  },
  weir_circuit_turned_away_total: {
    kind: 'counter',
    help: 'Requests that were steered to a version whose circuit is half open there, and went elsewhere or nowhere as no trial was left',
    labels: ['service', 'version', 'cluster'],
  },
  weir_exceptions_total: {
    kind: 'counter',
    help: 'Requests in whose handling code of weir or of a filter threw, by phase; each is a bug',
    labels: ['listener', 'reason'],
  },
  weir_connections_total: { kind: 'counter', help: 'Client connections accepted', labels: ['listener'] },
  weir_connections_refused_total: { kind: 'counter', help: 'Client connections closed at once', labels: ['listener', 'reason'] },
  weir_rate_limited_total: {
    kind: 'counter',
    help: 'Requests a limit is used up for: refused, or passed all the same because it is a shadow (shadow), and requests of which nobody could say (unknown)',
    labels: ['policy', 'outcome'],
  },
  weir_limit_requests_at_once: {
    kind: 'gauge',
    help: 'Requests that run, of limits of requests at once',
    labels: ['policy', 'worker'],
  },
  weir_quota_writes_total: {
    kind: 'counter',
    help: 'Writes of what is given out of quotas of the host, before it is given: stored, or failed, and nothing was given',
    labels: ['outcome'],
  },
  weir_fleet_limit_questions_total: {
    kind: 'counter',
    help: 'Questions of workers for limits that all hosts of the fleet share: counted, or answered without the count (away)',
    labels: ['outcome'],
  },
  weir_faults_total: {
    kind: 'counter',
    help: 'Requests that waited or failed on purpose, by the filter fault',
    labels: ['route', 'outcome'],
  },
  weir_cache_requests_total: {
    kind: 'counter',
    help: 'GET and HEAD of routes with the filter cache: answered from what is stored (hit), not stored (miss), stored and old (stale), or not to be answered so (bypass)',
    labels: ['route', 'outcome'],
  },
  weir_cache_stored_total: { kind: 'counter', help: 'Responses that the filter cache stored', labels: ['route'] },
  weir_cache_stored_bytes_total: { kind: 'counter', help: 'Memory that they took', labels: ['route'] },
  weir_cache_evictions_total: { kind: 'counter', help: 'Responses that the filter cache dropped for want of room', labels: ['route'] },
  weir_cache_stale_total: {
    kind: 'counter',
    help: 'Responses that the filter cache served behind their end: while one request asked for what holds (revalidating), or because the service failed (error)',
    labels: ['route', 'reason'],
  },
  weir_cache_revalidations_total: {
    kind: 'counter',
    help: 'Requests of the filter cache itself that no client waited for, by what became of what is stored: unchanged, renewed, not_stored, failed; the service counts them as requests too',
    labels: ['route', 'outcome'],
  },
  weir_cache_purged_total: { kind: 'counter', help: 'Stored responses that a purge dropped or ended', labels: ['route'] },
  weir_cache_objects: { kind: 'gauge', help: 'Responses that the filter cache has stored', labels: ['route', 'worker'] },
  weir_cache_bytes: { kind: 'gauge', help: 'Memory that they take', labels: ['route', 'worker'] },
  weir_compression_in_bytes_total: { kind: 'counter', help: 'Bytes of response bodies before the filter compress', labels: ['route'] },
  weir_compression_out_bytes_total: { kind: 'counter', help: 'Bytes of the same bodies after it', labels: ['route'] },
  weir_authentications_total: {
    kind: 'counter',
    help: 'Requests of routes with the filter authenticate or login, by the method that proved the caller, or the code of the error catalogue that refused it',
    labels: ['route', 'outcome'],
  },
  weir_condition_failures_total: {
    kind: 'counter',
    help: 'Conditions of the filter authorize that had no value, which counts against the caller: something is not there (missing), is of another type (type), is no value (value), or took too many steps (cost)',
    labels: ['route', 'reason'],
  },
  weir_consumer_requests_total: {
    kind: 'counter',
    help: 'Requests of consumers that have proved who they are, by what they were answered; of the first 200 names of the config by name, of the rest as others',
    labels: ['consumer', 'code_class'],
  },
  weir_logins_total: {
    kind: 'counter',
    help: 'What became of sessions of browsers: logins begun, completed, denied by the provider, failed a check, or not possible because the provider does not answer (unavailable); sessions refreshed, refused a refresh, expired, not sealed by these keys (session_invalid), or signed out',
    labels: ['route', 'outcome'],
  },
  weir_introspections_total: {
    kind: 'counter',
    help: 'Questions to authorization servers about tokens, by what they said: active, inactive, or nothing in time (failed); what is remembered is not asked',
    labels: ['route', 'outcome'],
  },
  weir_authorizer_decisions_total: {
    kind: 'counter',
    help: 'Decisions of external authorizers about requests: allowed, refused, nothing in time or nothing that is one (failed), or known from before without asking (remembered)',
    labels: ['route', 'outcome'],
  },
  weir_key_fetches_total: {
    kind: 'counter',
    help: 'Fetches of the keys of issuers of tokens, by what came of them (fetched, failed)',
    labels: ['outcome'],
  },
  weir_certificate_reloads_total: {
    kind: 'counter',
    help: 'Changed certificate files that a worker looked at: read, or kept the old one because the new one cannot be used',
    labels: ['listener', 'outcome'],
  },
  weir_connections_cut_total: {
    kind: 'counter',
    help: 'Client connections, and single requests of HTTP/2, ended because the client was too slow, by the code of the error catalogue',
    labels: ['listener', 'reason'],
  },
  weir_http2_abuse_total: {
    kind: 'counter',
    help: 'HTTP/2 connections and streams of clients that were ended for asking too much, by what it was',
    labels: ['listener', 'reason'],
  },
  weir_connections: { kind: 'gauge', help: 'Client connections open now', labels: ['listener', 'worker'] },
  weir_l4_connections_total: {
    kind: 'counter',
    help: 'Connections of pass-through listeners, by where they went and what became of them: established, or a code of the error catalogue',
    labels: ['listener', 'route', 'service', 'version', 'cluster', 'outcome'],
  },
  weir_l4_closes_total: {
    kind: 'counter',
    help: 'Established connections of pass-through listeners that are over: complete, broken off by client or upstream, idle for too long, cut by weir, or moved by weir when a drain was over',
    labels: ['service', 'version', 'cluster', 'reason'],
  },
  weir_requests_in_flight: { kind: 'gauge', help: 'Requests in work now', labels: ['worker'] },
  weir_upstream_connections_total: { kind: 'counter', help: 'Connections opened to endpoints', labels: ['cluster'] },
  weir_upstream_connections: { kind: 'gauge', help: 'Connections to endpoints open now', labels: ['cluster', 'worker'] },
  weir_upstream_queue_total: {
    kind: 'counter',
    help: 'Requests above a limit of their cluster: admitted after a wait, expired in the queue, refused because it was full, or left by the client',
    labels: ['cluster', 'outcome'],
  },
  weir_received_bytes_total: {
    kind: 'counter',
    help: 'Bytes of request bodies, and from clients of pass-through listeners',
    labels: ['service'],
  },
  weir_sent_bytes_total: {
    kind: 'counter',
    help: 'Bytes of response bodies, and to clients of pass-through listeners',
    labels: ['service'],
  },
  weir_tunnels_moved_total: {
    kind: 'counter',
    help: 'Tunnels that were closed because the deadline of a drain had passed',
    labels: ['cluster'],
  },
  weir_cluster_requests_running: {
    kind: 'gauge',
    help: 'Requests under way in a cluster, tunnels left out: what a drain waits for',
    labels: ['cluster'],
  },
  weir_cluster_tunnels: { kind: 'gauge', help: 'Tunnels open to a cluster', labels: ['cluster'] },
  weir_tunnels: { kind: 'gauge', help: 'Upgraded and passed-through connections open now', labels: ['worker'] },
  weir_webhook_events_total: {
    kind: 'counter',
    help: 'Events for webhooks, by what became of them: delivered, sent again (retried), refused for good by the receiver (refused), given up after a day (expired), or dropped as too many waited (queue_full); the policy is the name of the webhook',
    labels: ['policy', 'outcome'],
  },
  weir_history_series_dropped_total: {
    kind: 'counter',
    help: 'Services, versions and clusters of which ten seconds were not kept in the history, as there were more than history.maxSeries',
    labels: ['host'],
  },
  weir_trace_spans_total: {
    kind: 'counter',
    help: 'Spans of traces: exported, dropped as too many waited (queue_full) or as the collector did not answer for a minute (failed), or not taken by it (rejected)',
    labels: ['outcome'],
  },
  weir_access_log_dropped_total: {
    kind: 'counter',
    help: 'Access log lines dropped because the target did not keep up',
    labels: ['worker'],
  },
  weir_event_loop_delay_seconds: { kind: 'gauge', help: '99th percentile of the event loop delay in the last second', labels: ['worker'] },
  weir_event_loop_utilisation_ratio: { kind: 'gauge', help: 'Part of the time in which the event loop had work', labels: ['worker'] },
  weir_shed_requests_total: {
    kind: 'counter',
    help: 'Requests that a worker refused because it had more work than time, by the priority class of their route',
    labels: ['reason'],
  },
  weir_process_resident_bytes: { kind: 'gauge', help: 'Resident memory of a worker', labels: ['worker'] },
  weir_process_heap_bytes: { kind: 'gauge', help: 'Heap of JavaScript that a worker uses', labels: ['worker'] },
  weir_worker_restarts_total: { kind: 'counter', help: 'Workers that ended without being asked to', labels: ['host'] },
  weir_hung_processes_total: {
    kind: 'counter',
    help: 'Processes that gave no sign of life for longer than hangDeadline and were killed: workers by name, or controller',
    labels: ['worker'],
  },
  weir_controller_restarts_total: { kind: 'counter', help: 'Controllers that ended without being asked to', labels: ['host'] },
  weir_workers_ready: { kind: 'gauge', help: 'Workers that serve the newest generation and plan', labels: ['host'] },
  weir_revision: { kind: 'gauge', help: 'Revision of the intent', labels: ['host'] },
  weir_generation: { kind: 'gauge', help: 'Number of the config generation', labels: ['host'] },
  weir_local_changes: { kind: 'gauge', help: 'Changes that the host holds against the intent of its fleet', labels: ['host'] },
  weir_share_desired_ratio: { kind: 'gauge', help: 'Share the intent gives', labels: ['service', 'version', 'cluster'] },
  weir_share_effective_ratio: { kind: 'gauge', help: 'Share the plan gives', labels: ['service', 'version', 'cluster'] },
  weir_share_observed_ratio: { kind: 'gauge', help: 'Share measured over the last 10 seconds', labels: ['service', 'version', 'cluster'] },
  weir_share_new_ratio: {
    kind: 'gauge',
    help: 'Share of the new clients of a service with sticky, measured over the last 10 seconds',
    labels: ['service', 'version', 'cluster'],
  },
  weir_share_observed_low_ratio: {
    kind: 'gauge',
    help: 'Lower end of the 99 % interval of the share since the shares last changed, at most a minute; of new clients where the service has sticky',
    labels: ['service', 'version', 'cluster'],
  },
  weir_share_observed_high_ratio: { kind: 'gauge', help: 'Upper end of that interval', labels: ['service', 'version', 'cluster'] },
  weir_share_respected: {
    kind: 'gauge',
    help: '0 while a target gets another share than the plan gives it, of new clients where the service has sticky; no series while too little was seen',
    labels: ['service', 'version', 'cluster'],
  },
  weir_cluster_health: { kind: 'gauge', help: '1 for the health state the cluster is in', labels: ['cluster', 'state'] },
  weir_cluster_admin: { kind: 'gauge', help: '1 for the admin state the cluster is in', labels: ['cluster', 'state'] },
  weir_cluster_failback: { kind: 'gauge', help: '1 for how the cluster comes back after it was down', labels: ['cluster', 'state'] },
  weir_cluster_ramp_ratio: { kind: 'gauge', help: 'How far the ramp of a cluster that was down is; 1 without one', labels: ['cluster'] },
  weir_cluster_loss_shed_rps: {
    kind: 'gauge',
    help: 'Requests per second that would be refused if the cluster were lost now',
    labels: ['cluster'],
  },
  weir_loss_tolerated: {
    kind: 'gauge',
    help: '1 while any one cluster can be lost without a request refused for want of capacity; 0 also while no capacity is known',
    labels: ['host'],
  },
  weir_shed_ratio: { kind: 'gauge', help: 'Part of the requests of the service that is refused as overload', labels: ['service'] },
  weir_cluster_capacity_rps: { kind: 'gauge', help: 'Known capacity in requests per second', labels: ['cluster'] },
  weir_probes_total: { kind: 'counter', help: 'Health probes', labels: ['cluster', 'outcome'] },
  weir_endpoints_held: {
    kind: 'gauge',
    help: '1 while the agent names no endpoint, and those that are known are held',
    labels: ['cluster'],
  },
  weir_agent_state: { kind: 'gauge', help: '1 for the state the agent is in', labels: ['cluster', 'state'] },
  weir_agent_messages_total: { kind: 'counter', help: 'Messages of agents', labels: ['cluster', 'outcome'] },
  weir_agent_rejections_total: { kind: 'counter', help: 'Agent connections and messages refused', labels: ['reason'] },
  weir_admin_requests_total: { kind: 'counter', help: 'Requests to the admin API', labels: ['outcome'] },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
