// weir explain: where a request would go and why, without sending it.
import type { ExplainRequest } from '../../balancer/controller/api/views.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { explanation } from '../explanation.ts';
import { writeResult } from '../output.ts';

export const explainCommand: CommandDefinition = {
  examples: [
    'weir explain https://shop.example.com/api/items',
    "weir explain https://shop.example.com/ --header 'x-user: 42' --client 203.0.113.7",
    'weir explain http://shop.example.com/cart --method POST -o json',
  ],
  notes:
    'Nothing is sent. The answer comes from the config and the plan that the workers serve with. The exit code is 0 also for a request that weir would refuse.',
  arguments: [{ name: 'URL', summary: 'as a client would ask for it' }],
  options: [
    { flags: '--method <METHOD>', summary: 'the method (default GET)' },
    { flags: '--header <FIELD...>', summary: "a header field, 'name: value'; may be given several times" },
    { flags: '--client <ADDRESS>', summary: 'the address that the connection comes from' },
    { flags: '--listener <NAME>', summary: 'where it comes in (default: the one that the URL fits)' },
  ],
  run: async (call) => {
    const asked = requestOf(call);
    const client = await call.connect();
    const list = await client.explain(asked);
    const wide = call.format === 'wide';
    await writeResult(call, list, list.items.map((item) => explanation(item, { wide, color: call.terminal.color })).join('\n'));
    return EXIT.ok;
  },
};

function requestOf({ values }: CommandCall): ExplainRequest {
  const url = values.argument(0);
  if (!/^https?:\/\//i.test(url))
    throw new CommandFailure(EXIT.usage, `expected a URL such as https://shop.example.com/api, got ${JSON.stringify(url)}`);
  const [method, client, listener] = [values.text('method'), values.text('client'), values.text('listener')];
  return {
    url,
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
