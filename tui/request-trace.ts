// What became of a recent request laid out for reading. Pure.
import type { RememberedRequest } from '../balancer/controller/api/views.ts';
import { plain } from './table.ts';

export function requestTrace(trace: RememberedRequest): string {
  const { at, worker, listener, client, method, host, path, status, route, service, attempts, error, detail, plan } = trace;
  const said = error === '' ? '' : ` ${error}${detail === '' ? '' : `: ${detail}`}`;
  const answer = status === 0 ? `closed without an answer${said}` : `${status}${said}`;
  const lines = [
    `request:  ${method} ${host}${path}, from ${client} by listener ${listener}`,
    `ended:    ${at} on ${worker}, ${trace.durationMs} ms`,
    `answer:   ${answer}${attempts === 0 ? ', by weir itself' : ''}`,
    `route:    ${route === '' ? 'none' : `${route}, service ${service}`}`,
    ...(trace.chosenBy === '' ? [] : [`chosen:   by ${trace.chosenBy}, plan ${plan}`]),
    ...attemptLines(trace),
  ];
  return lines.map((line) => `${plain(line)}\n`).join('');
}

function attemptLines({ failed, attempts, version, cluster, endpoint, reasons, durationMs }: RememberedRequest): readonly string[] {
  const lines = failed.map(
    (attempt, index) =>
      `attempt ${index + 1}: ${attempt.version} in ${attempt.cluster}, endpoint ${attempt.endpoint}: ${attempt.code} after ${attempt.untilMs} ms`,
  );
  if (attempts === 0) return lines;
  const why = reasons.length === 0 ? '' : ` (share: ${reasons.join(', ')})`;
  return [...lines, `attempt ${attempts}: ${version} in ${cluster}, endpoint ${endpoint}, until ${durationMs} ms${why}`];
}
