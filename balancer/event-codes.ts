// The one list of events: what can happen on a host, how grave it is, and what to look at. docs/events.md is made from it.

export type EventKind =
  'revision' | 'config' | 'health' | 'plan' | 'ejection' | 'agent' | 'worker' | 'rollout' | 'drill' | 'fleet' | 'security' | 'controller';

/** `critical`: requests are lost, or somebody should look now; `warning`: somebody should look today. */
export type EventSeverity = 'info' | 'warning' | 'critical';

export interface EventEntry {
  readonly kind: EventKind;
  readonly severity: EventSeverity;
  readonly help: string;
}

const entry = (kind: EventKind, severity: EventSeverity, help: string): EventEntry => ({ kind, severity, help });

export const EVENTS = {
  'health.cluster_up': entry('health', 'info', 'A cluster is up'),
  'health.cluster_degraded': entry('health', 'warning', 'A part of the endpoints of a cluster is down'),
  'health.cluster_down': entry('health', 'critical', 'No endpoint of a cluster can be used'),
  'health.cluster_unknown': entry('health', 'warning', 'Nothing is known of the health of a cluster'),
  'health.endpoint': entry('health', 'info', 'An endpoint came up or went down'),
  'health.headroom': entry('health', 'warning', 'Whether any one cluster could be lost has changed'),
  'plan.requests_lost': entry(
    'plan',
    'critical',
    'A part of the requests of a service has no place, or none with room, and is answered with 503',
  ),
  'plan.requests_placed': entry('plan', 'info', 'For ten seconds all of them had one again'),
  'ejection.ejected': entry('ejection', 'warning', 'A worker has taken out an endpoint or a version on the evidence of requests'),
  'ejection.changed': entry('ejection', 'warning', 'A version is taken out in a cluster, or is back'),
  'agent.fresh': entry('agent', 'info', 'The agent of a cluster reports'),
  'agent.stale': entry(
    'agent',
    'warning',
    'Nothing new came from the agent of a cluster for some time; what it said last counts for less and less',
  ),
  'agent.left': entry(
    'agent',
    'warning',
    'The agent of a cluster has ended its connection, or it broke; what it reported counts for a while',
  ),
  'agent.absent': entry('agent', 'warning', 'The agent of a cluster is not heard of; its capacity is what the config says'),
  'agent.ceiling': entry('agent', 'warning', 'The agent of a cluster claims more than its ceiling, which is what counts'),
  'agent.expected': entry(
    'agent',
    'info',
    'An operator has said, or a change will bring, what comes to a cluster, which its agent is told; or it is not expected any more',
  ),
  'agent.endpoints': entry('agent', 'info', 'The agent of a cluster found endpoints, or some have gone'),
  'agent.endpoints_held': entry('agent', 'critical', 'A report would take away the endpoints of a cluster and is held, or is not any more'),
  'revision.made': entry('revision', 'info', 'The intent was changed, by a person or by the program'),
  'revision.glass_broken': entry('revision', 'critical', 'A change overrules a safety rule'),
  'revision.arrived': entry('revision', 'info', 'A change that came little by little (`--over`) is where it was sent'),
  'revision.expired': entry('revision', 'info', 'The time of a change is over, or it cannot return'),
  'revision.approval_wanted': entry('revision', 'warning', 'A change waits for a second person'),
  'revision.approval_ended': entry('revision', 'info', 'A change that waited was rejected, or is too old'),
  'config.changed': entry('config', 'info', 'Something is otherwise in the config that is served'),
  'config.rolled_back': entry('config', 'critical', 'All workers ended by another config, and the one before is served again'),
  'config.served': entry('config', 'info', 'Workers serve with another config'),
  'config.unchanged': entry('config', 'info', 'The config was read and is as it was'),
  'config.needs_restart': entry('config', 'warning', 'A change of the config comes in only with a restart'),
  'config.note': entry('config', 'info', 'Something is worth knowing about the choice of the config'),
  'config.refused': entry('config', 'critical', 'A config is not taken over, and the one before stays'),
  'config.unserved': entry('config', 'critical', 'A worker cannot serve a config'),
  'config.keys': entry('config', 'warning', 'The keys of an issuer of tokens cannot be fetched, or are again'),
  'worker.ready': entry('worker', 'info', 'A worker is ready'),
  'worker.replaced': entry('worker', 'warning', 'A worker has ended and was replaced'),
  'worker.left': entry('worker', 'info', 'A worker has drained and left'),
  'worker.gone': entry('worker', 'critical', 'A worker has ended without being asked to, and its connections with it'),
  'worker.hung': entry('worker', 'critical', 'A process gave no sign of life and was killed'),
  'rollout.step': entry('rollout', 'info', 'A rollout has moved: begun, a step further, paused, done'),
  'rollout.failed': entry('rollout', 'critical', 'A rollout has failed a gate, and has gone back or stopped, as its config says'),
  'rollout.held': entry('rollout', 'warning', 'A rollout does not move although it is time'),
  'drill.news': entry('drill', 'info', 'A drill begins, ends or does not begin'),
  'fleet.news': entry('fleet', 'info', 'Something of the fleet has changed'),
  'fleet.away': entry('fleet', 'critical', 'The store of the fleet cannot be reached; this host serves on as it is'),
  'fleet.alert': entry('fleet', 'critical', 'Something of the fleet is wrong and does not mend itself'),
  'fleet.local': entry('fleet', 'warning', 'This host holds changes of its own against its fleet'),
  'controller.started': entry('controller', 'info', 'The controller has started, or is back'),
  'controller.drained': entry('controller', 'info', 'Nothing runs in a drained cluster any more, or its tunnels are closed'),
  'controller.limits': entry('controller', 'warning', 'What is given out of quotas cannot be stored, or can again'),
  'controller.sessions': entry(
    'controller',
    'warning',
    'Sessions that providers have ended cannot be stored or told to the fleet, or can again',
  ),
  'controller.signatures': entry(
    'controller',
    'warning',
    'Which signatures were used cannot be remembered, stored or asked of the fleet, or can again',
  ),
  'controller.renewal': entry('controller', 'info', 'The program or the workers are renewed'),
  'security.token_created': entry('security', 'warning', 'A token of the admin API was made'),
  'security.token_revoked': entry('security', 'info', 'A token of the admin API counts no more'),
  'security.certificate_expires_soon': entry('security', 'warning', 'A certificate of this host, or one of its chain, ends within 14 days'),
  'security.certificate_expires': entry('security', 'warning', 'It ends within 5 days'),
  'security.certificate_expired': entry('security', 'critical', 'It has ended; who checks it refuses the connection'),
  'security.certificate_renewed': entry('security', 'info', 'A certificate that was near its end is there anew'),
  'events.undelivered': entry('controller', 'warning', 'A webhook does not take events'),
} as const satisfies Record<string, EventEntry>;

export type EventCode = keyof typeof EVENTS;

export const isEventCode = (code: string): code is EventCode => Object.hasOwn(EVENTS, code);
