// weir explain: where a request would go and why, without sending it; or what became of a recent one.
import type { ExplainRequest } from '../../balancer/controller/api/views.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { explanation } from '../explanation.ts';
import { writeResult } from '../output.ts';
import { requestTrace } from '../request-trace.ts';

export const explainCommand: CommandDefinition = {
  examples: [
    'weir explain https://shop.example.com/api/items',
    "weir explain https://shop.example.com/ --header 'x-user: 42' --client 203.0.113.7",
    'weir explain http://shop.example.com/cart --method POST -o json',
    'weir explain 5f0c9b1e2a7d4c3b8e6f1a2b-3x',
  ],
  notes:
    'Of a URL nothing is sent. The answer comes from the config and the plan that the workers serve with. The exit code is 0 also for a request that weir would refuse. A request id is looked up among those that the workers remember: all that failed, were retried or were answered by weir itself, and a sample of the others.',
  arguments: [{ name: 'URL|REQUEST-ID', summary: 'a URL as a client would ask for it, or the x-request-id of a recent request' }],
  options: [
    { flags: '--method <METHOD>', summary: 'the method (default GET)' },
    { flags: '--header <FIELD...>', summary: "a header field, 'name: value'; may be given several times" },
    { flags: '--client <ADDRESS>', summary: 'the address that the connection comes from' },
    { flags: '--listener <NAME>', summary: 'where it comes in (default: the one that the URL fits)' },
  ],
  run: async (call) => {
    if (!URL_START.test(call.values.argument(0))) return recall(call);
    const asked = requestOf(call);
    const client = await call.connect();
    const list = await client.explain(asked);
    const wide = call.format === 'wide';
    await writeResult(call, list, list.items.map((item) => explanation(item, { wide, color: call.terminal.color })).join('\n'));
    return EXIT.ok;
  },
};

const URL_START = /^https?:\/\//i;

async function recall(call: CommandCall): Promise<ExitCode> {
  const { values } = call;
  if (['method', 'header', 'client', 'listener'].some((name) => values.text(name) !== null || values.texts(name) !== null))
    throw new CommandFailure(
      EXIT.usage,
      `${JSON.stringify(values.argument(0))} is taken for a request id, which has no options; a URL begins with http:// or https://`,
    );
  const client = await call.connect();
  const list = await client.recall(values.argument(0));
  await writeResult(call, list, list.items.map(requestTrace).join('\n'));
  return EXIT.ok;
}

function requestOf({ values }: CommandCall): ExplainRequest {
  const [method, client, listener] = [values.text('method'), values.text('client'), values.text('listener')];
  return {
    url: values.argument(0),
    headers: (values.texts('header') ?? []).map(fieldOf),
    ...(method === null ? {} : { method }),
    ...(client === null ? {} : { client }),
    ...(listener === null ? {} : { listener }),
  };
}

function fieldOf(text: string): readonly [name: string, value: string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new CommandFailure(EXIT.usage, `--header: expected 'name: value', got ${JSON.stringify(text)}`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}
