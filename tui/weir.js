#!/usr/bin/env node
// The door of the command: plain JavaScript that a Node from 12 on can read, so that one that is too old is told so in one line.
import * as nodeModule from 'node:module';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// The first that can hold a listening socket without accepting from it. The same is in package.json.
const OLDEST = '26.4';

function isOlder(version, oldest) {
  const has = version.split('.').map(Number);
  const needs = oldest.split('.').map(Number);
  return has[0] < needs[0] || (has[0] === needs[0] && has[1] < needs[1]);
}

if (isOlder(process.versions.node, OLDEST)) {
  const typed = process.argv.slice(2).join(' ') || 'status';
  process.stderr.write(
    'weir needs Node.js ' +
      OLDEST +
      ' or newer and this is v' +
      process.versions.node +
      ': in a checkout run `npm run -s weir -- ' +
      typed +
      '`, which uses the Node that `npm ci` brought; elsewhere install Node.js ' +
      OLDEST +
      ' or newer.\n',
  );
  process.exitCode = 1;
} else {
  // Compiled code kept between runs halves the start. In the user's own cache folder: one in /tmp could be prepared by somebody else.
  const home = process.env.XDG_CACHE_HOME || (process.env.HOME && process.env.HOME + '/.cache');
  // The first is what systemd made for the service.
  const cache = process.env.CACHE_DIRECTORY || (home && home + '/weir');
  if (cache) {
    nodeModule.enableCompileCache(cache + '/compiled');
    // Written when a process ends, which one that is killed never does: it would compile everything at each start, and be a third larger for it.
    setTimeout(nodeModule.flushCompileCache, 10000).unref();
  }
  // A checkout has the sources; a published package has what `npm run build` made of them.
  const source = new URL('./weir.ts', import.meta.url);
  import(existsSync(fileURLToPath(source)) ? source.href : new URL('../dist/tui/weir.js', import.meta.url).href)
    .then(function (weir) {
      return weir.main(process.argv.slice(2));
    })
    .catch(function (error) {
      process.stderr.write('weir: ' + (error && error.stack ? error.stack : String(error)) + '\n');
      process.exitCode = 1;
    });
}
