// A client as a process of its own, which can be put into a network of its own: `node steady-client.ts URL`. A line on stdin ends it; it says what was answered.
import { KeptClients } from './kept-clients.ts';

const [url = ''] = process.argv.slice(2);
const clients = new KeptClients(url, 2);
const load = clients.load(10);
process.stdin.once('data', () => {
  void load.stop().then((asked) => {
    clients.close();
    const failed = asked.filter(({ status }) => status === 0 || status >= 500);
    process.stdout.write(`${JSON.stringify({ asked: asked.length, failed: failed.map(({ status, body }) => `${status} ${body}`) })}\n`);
    process.exit(0);
  });
});
