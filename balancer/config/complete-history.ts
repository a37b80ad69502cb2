// History and events of the file → of the config.
import { lowerCase, reportSecretFields } from './complete-tracing.ts';
import type { Completion } from './completion.ts';
import { durationMs, sizeBytesOrZero } from './quantities.ts';
import type { EventsFile, HistoryFile } from './schema-history.ts';
import type { EventsConfig, HistoryConfig } from './telemetry-config.ts';

const LEAST_BYTES = 8 * 1024 * 1024;

export function completeHistory(file: HistoryFile, completion: Completion): HistoryConfig {
  const maxBytes = sizeBytesOrZero(file.maxSize);
  if (maxBytes > 0 && maxBytes < LEAST_BYTES)
    completion.report(['history', 'maxSize'], `"${file.maxSize}" is too little; expected 0, or at least 8MiB`);
  return { maxBytes, maxSeries: file.maxSeries };
}

export function completeEvents(file: EventsFile, completion: Completion): EventsConfig {
  return {
    webhooks: Object.entries(file.webhooks)
      .filter(([name]) => !completion.isTouched(['events', 'webhooks', name]))
      .map(([name, hook]) => {
        const path = ['events', 'webhooks', name];
        reportSecretFields(hook.headers, [...path, 'headers'], completion);
        return {
          name,
          url: hook.url,
          ca: hook.ca === undefined ? null : completion.readableFile([...path, 'ca'], hook.ca),
          headers: lowerCase(hook.headers),
          secret: hook.secret === undefined ? null : completion.secret([...path, 'secret'], hook.secret),
          events: [...new Set(hook.events)],
          leastSeverity: hook.severity,
          timeoutMs: durationMs(hook.timeout),
        };
      }),
  };
}
