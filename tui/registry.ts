// Every command of `weir`, one line each, in the order of the help. A module is loaded when its command is asked for.
import type { CommandGroup } from './command.ts';

export const COMMAND_GROUPS: readonly CommandGroup[] = [
  {
    title: 'Look:',
    commands: [
      {
        name: 'status',
        summary: 'show the whole appliance on one screen',
        load: async () => (await import('./commands/status.ts')).statusCommand,
      },
      { name: 'top', summary: 'watch it live', load: async () => (await import('./commands/top.ts')).topCommand },
      {
        name: 'get',
        summary: 'list clusters, services, routes, caches, edges, workers, agents, revisions or events',
        load: async () => (await import('./commands/get.ts')).getCommand,
      },
      {
        name: 'describe',
        summary: 'show everything about one of them',
        load: async () => (await import('./commands/describe.ts')).describeCommand,
      },
      {
        name: 'explain',
        summary: 'show where a request would go and why, without sending it',
        load: async () => (await import('./commands/explain.ts')).explainCommand,
      },
      {
        name: 'events',
        summary: 'show what happened, and follow it',
        load: async () => (await import('./commands/events.ts')).eventsCommand,
      },
      { name: 'wait', summary: 'wait for a state, with a time-out', load: async () => (await import('./commands/wait.ts')).waitCommand },
    ],
  },
  {
    title: 'Steer:',
    commands: [
      {
        name: 'shift',
        summary: 'set the split of a service among its versions or clusters',
        load: async () => (await import('./commands/shift.ts')).shiftCommand,
      },
      {
        name: 'canary',
        summary: 'give a version its share step by step, watched by gates',
        load: async () => (await import('./commands/canary.ts')).canaryCommand,
      },
      {
        name: 'switch',
        summary: 'send a service to another version, and keep the way back open',
        load: async () => (await import('./commands/switch.ts')).switchCommand,
      },
      {
        name: 'drain',
        summary: 'send nothing new to a cluster, let what runs finish',
        load: async () => (await import('./commands/cluster-state.ts')).drainCommand,
      },
      {
        name: 'restore',
        summary: 'bring a cluster back into service',
        load: async () => (await import('./commands/cluster-state.ts')).restoreCommand,
      },
      {
        name: 'maintenance',
        summary: 'take a cluster out of service',
        load: async () => (await import('./commands/cluster-state.ts')).maintenanceCommand,
      },
      {
        name: 'dial',
        summary: 'turn a cluster down or up in every service, 0 to 100 percent',
        load: async () => (await import('./commands/dial.ts')).dialCommand,
      },
      {
        name: 'release',
        summary: 'let a cluster that was down have its share again',
        load: async () => (await import('./commands/release.ts')).releaseCommand,
      },
      {
        name: 'cache',
        summary: 'drop what routes have stored, on all hosts',
        load: async () => (await import('./commands/cache.ts')).cacheCommand,
      },
      {
        name: 'pins',
        summary: 'void the places that clients keep by a cookie',
        load: async () => (await import('./commands/pins.ts')).pinsCommand,
      },
      {
        name: 'quota',
        summary: 'let the quotas of a consumer begin anew',
        load: async () => (await import('./commands/quota.ts')).quotaCommand,
      },
      {
        name: 'drill',
        summary: 'take a cluster out on purpose, watched and graded',
        load: async () => (await import('./commands/drill.ts')).drillCommand,
      },
      {
        name: 'local',
        summary: 'merge or discard what a host was changed by while it was cut off',
        load: async () => (await import('./commands/local.ts')).localCommand,
      },
      {
        name: 'approve',
        summary: 'say yes to a change that waits for a second person',
        load: async () => (await import('./commands/approve.ts')).approveCommand,
      },
      {
        name: 'reject',
        summary: 'drop a change that waits for a second person',
        load: async () => (await import('./commands/approve.ts')).rejectCommand,
      },
      { name: 'undo', summary: 'take back the last change', load: async () => (await import('./commands/undo.ts')).undoCommand },
      { name: 'redo', summary: 'bring back what was undone', load: async () => (await import('./commands/undo.ts')).redoCommand },
      {
        name: 'diff',
        summary: 'show what differs between two revisions',
        load: async () => (await import('./commands/diff.ts')).diffCommand,
      },
      {
        name: 'history',
        summary: 'list the changes, or what was counted in the past',
        load: async () => (await import('./commands/history.ts')).historyCommand,
      },
      {
        name: 'audit',
        summary: 'show who changed what, and verify the chain of records',
        load: async () => (await import('./commands/audit.ts')).auditCommand,
      },
    ],
  },
  {
    title: 'Run:',
    commands: [
      { name: 'serve', summary: 'run an edge host', load: async () => (await import('./commands/serve.ts')).serveCommand },
      {
        name: 'upgrade',
        summary: 'replace the program of a running edge host, without loss',
        load: async () => (await import('./commands/upgrade.ts')).upgradeCommand,
      },
      {
        name: 'restart',
        summary: 'replace the workers of an edge host one by one, without loss',
        load: async () => (await import('./commands/restart.ts')).restartCommand,
      },
      { name: 'agent', summary: 'report the capacity of a cluster', load: async () => (await import('./commands/agent.ts')).agentCommand },
      {
        name: 'demo',
        summary: 'run three local clusters behind a balancer',
        load: async () => (await import('./commands/demo.ts')).demoCommand,
      },
      {
        name: 'simulate',
        summary: 'play a scenario through with the plan of a config',
        load: async () => (await import('./commands/simulate.ts')).simulateCommand,
      },
      {
        name: 'replay',
        summary: 'make recorded decisions again, with another config too',
        load: async () => (await import('./commands/replay.ts')).replayCommand,
      },
      { name: 'check', summary: 'check a config file', load: async () => (await import('./commands/check.ts')).checkCommand },
      {
        name: 'config',
        summary: 'apply, print or describe the config',
        load: async () => (await import('./commands/config.ts')).configCommand,
      },
      {
        name: 'consumer',
        summary: 'make credentials of those who call',
        load: async () => (await import('./commands/consumer.ts')).consumerCommand,
      },
      {
        name: 'token',
        summary: 'create, list, share and revoke tokens of the admin API',
        load: async () => (await import('./commands/token.ts')).tokenCommand,
      },
    ],
  },
  {
    title: 'More:',
    commands: [
      {
        name: 'context',
        summary: 'say where appliances are, by name, and which is in use',
        load: async () => (await import('./commands/context.ts')).contextCommand,
      },
      {
        name: 'doctor',
        summary: 'look for what is not well here and there, and say what to do',
        load: async () => (await import('./commands/doctor.ts')).doctorCommand,
      },
      {
        name: 'debug',
        summary: 'write a support archive, without secrets',
        load: async () => (await import('./commands/debug.ts')).debugCommand,
      },
      { name: 'man', summary: 'print manual pages', load: async () => (await import('./commands/man.ts')).manCommand },
      {
        name: 'version',
        summary: 'print the versions of weir and Node.js',
        load: async () => (await import('./commands/version.ts')).versionCommand,
      },
      {
        name: 'completion',
        summary: 'print a completion script for a shell',
        load: async () => (await import('./commands/completion.ts')).completionCommand,
      },
      {
        name: '__complete',
        hidden: true,
        summary: 'candidates for a shell',
        load: async () => (await import('./commands/complete.ts')).completeCommand,
      },
    ],
  },
];
