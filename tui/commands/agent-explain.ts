// weir agent explain: what an agent finds in its Kubernetes cluster, and what each of its figures is made from.
import type { AgentOptions, CommandCall, CommandDefinition, OptionSpec } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { writeResult } from '../output.ts';

export const KUBERNETES_OPTIONS: readonly OptionSpec[] = [
  { flags: '--config <FILE>', summary: 'what counts in its Kubernetes cluster: gateways, services, rates (docs/kubernetes.md)' },
  { flags: '--kubeconfig <FILE>', summary: 'the API server (default: the service account of the pod, or what kubectl uses)' },
  { flags: '--context <NAME>', summary: 'of the kubeconfig (default: its current one)' },
];

export const agentExplainCommand: CommandDefinition = {
  examples: ['weir agent explain --config agent.yaml', 'weir agent explain --config agent.yaml --context eu-west -o json'],
  notes:
    'Reads the cluster once, as an agent with this file would, and tells each figure with what it is made from. Needs no hub and no token.',
  options: KUBERNETES_OPTIONS,
  run: async (call) => {
    const options = kubernetesOf(call);
    if (options === null) throw new CommandFailure(EXIT.usage, '--config FILE is needed');
    const explained = await call.programs.explainAgent(options);
    if (!explained.ok) {
      for (const problem of explained.problems) call.terminal.message(problem);
      return EXIT.failed;
    }
    await writeResult(call, { kind: 'agent', revision: 0, items: [explained.summary] }, explained.text);
    return EXIT.ok;
  },
};

/** Null: the agent tells of its machine. */
export function kubernetesOf({ values }: CommandCall): AgentOptions['kubernetes'] {
  const [configFile, kubeconfig, context] = [values.text('config'), values.text('kubeconfig'), values.text('context')];
  if (configFile === null) {
    if (kubeconfig === null && context === null) return null;
    throw new CommandFailure(EXIT.usage, '--config FILE is needed beside --kubeconfig and --context: it says which Services count');
  }
  return { configFile, kubeconfig, context };
}
