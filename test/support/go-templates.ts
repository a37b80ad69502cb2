// A chart rendered by Go's templates and sprig, which is what Helm does; both are Debian packages.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What makes `go run` work without a network; installed where they are missing and can be. */
const PACKAGES = ['golang-go', 'golang-github-masterminds-sprig-dev'];
const GOPATH = '/usr/share/gocode';
const BUILD_MS = 300_000;

/** The texts in the order of the names; rejects what Go's templates reject. */
export function renderWithGo(templates: Readonly<Record<string, string>>, root: unknown): readonly string[] {
  install();
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'weir-test', 'go-build');
  const env = { ...process.env, GOPATH, GO111MODULE: 'off', GOFLAGS: '', CGO_ENABLED: '0', GOCACHE: cache };
  const program = join(import.meta.dirname, 'render-chart', 'main.go');
  const { status, stdout, stderr } = spawnSync('go', ['run', program], {
    ...{ env, input: JSON.stringify({ templates, root }), encoding: 'utf8', timeout: BUILD_MS },
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as readonly string[];
}

function install(): void {
  const hasGo = spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;
  if (hasGo && existsSync(join(GOPATH, 'src/github.com/Masterminds/sprig'))) return;
  const options = { stdio: ['ignore', 'ignore', 'inherit'] as const, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  const install = (): void =>
    void execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...PACKAGES], {
      ...options,
      stdio: [...options.stdio],
    });
  try {
    install();
  } catch {
    // The lists of packages may be older than the mirror.
    execFileSync('apt-get', ['update', '-qq'], { ...options, stdio: [...options.stdio] });
    install();
  }
}
