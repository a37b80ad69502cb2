// The text of a scenario file → its values with all defaults, or all that is wrong with it.
import { readDocument } from './document.ts';
import { formatPath, show, sortProblems, type ConfigProblem, type Finding } from './problems.ts';
import { scenarioSchema, type ScenarioFile } from './schema-scenario.ts';
import { createValidator } from './validate.ts';

export type LoadedScenario =
  | { readonly ok: true; readonly file: ScenarioFile; readonly locate: (findings: readonly Finding[]) => readonly ConfigProblem[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export function loadScenario(name: string, text: string): LoadedScenario {
  const document = readDocument(text);
  const locate = (findings: readonly Finding[]): readonly ConfigProblem[] =>
    sortProblems(
      findings.map(({ path, message, atKey }) => ({
        file: name,
        ...document.locate(path, atKey ?? false),
        path: formatPath(path),
        message,
      })),
    );
  if (document.problems.length > 0)
    return { ok: false, problems: sortProblems(document.problems.map((problem) => ({ ...problem, file: name, path: '' }))) };
  const { value } = document;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = `${value === null ? 'the file is empty' : `${show(value)} is not a scenario`}; expected a mapping with config and load`;
    return { ok: false, problems: locate([{ path: [], message }]) };
  }
  const misfits = createValidator(scenarioSchema)(value);
  return misfits.length > 0 ? { ok: false, problems: locate(misfits) } : { ok: true, file: decoded(value), locate };
}

/** The decoding border: what the schema accepted has the type the schema has. */
const decoded = (value: unknown): ScenarioFile => value as ScenarioFile;
