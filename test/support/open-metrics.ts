// A strict reader of OpenMetrics 1.0, written from the specification: what it does not allow is an error with its line.

export interface OpenExemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timestamp: number | null;
}

export interface OpenSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar: OpenExemplar | null;
}

export interface OpenFamily {
  readonly name: string;
  type: string;
  unit: string;
  help: string;
  readonly samples: OpenSample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABELS = String.raw`\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,(?=[a-zA-Z_]))?)*\}`;
const NUMBER = String.raw`(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|NaN)`;
const DESCRIPTION = new RegExp(`^# (TYPE|UNIT|HELP) (${NAME}) (.*)$`);
const SAMPLE = new RegExp(`^(${NAME})(${LABELS})? (${NUMBER})(?: (${NUMBER}))?(?: # (${LABELS}) (${NUMBER})(?: (${NUMBER}))?)?$`);
/** Of an exemplar: names and values together, in characters. */
const MAX_EXEMPLAR_CHARS = 128;

/** What samples of each type are called behind the name of the family. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count', '_created'],
};

export function parseOpenMetrics(text: string): ReadonlyMap<string, OpenFamily> {
  if (!text.endsWith('# EOF\n')) throw new Error('it does not end in # EOF and a line end');
  const families = new Map<string, OpenFamily>();
  let family = null as OpenFamily | null;
  const seen = new Set<string>();
  for (const [index, line] of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1).entries()) {
    const fail = (problem: string): never => {
      throw new Error(`line ${index + 1}: ${problem}: ${line}`);
    };
    const [, what, name = '', said = ''] = DESCRIPTION.exec(line) ?? [];
    if (what !== undefined) {
      if (family?.name !== name) {
        if (families.has(name)) fail('a family is there twice, or its lines are apart');
        families.set(name, (family = { name, type: 'unknown', unit: '', help: '', samples: [] }));
      }
      describe(family, what, said, fail);
      continue;
    }
    const { type, name: base, samples } = family ?? fail('a sample without a family');
    const sample = sampleOf(line, fail);
    if (SUFFIXES[type]?.some((suffix) => sample.name === base + suffix) !== true) fail(`not a sample of the ${type} ${base}`);
    const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(key)) fail('a sample is there twice');
    seen.add(key);
    if (sample.exemplar !== null && !(sample.name.endsWith('_bucket') || sample.name.endsWith('_total')))
      fail('an exemplar where there may be none');
    if (type !== 'gauge' && (sample.value < 0 || Number.isNaN(sample.value))) fail('a number that cannot be counted');
    samples.push(sample);
  }
  for (const one of families.values()) if (one.type === 'histogram') checkHistogram(one);
  return families;
}

function describe(family: OpenFamily, what: string, said: string, fail: (problem: string) => never): void {
  if (family.samples.length > 0) fail('a description below samples');
  if (what === 'TYPE') {
    if (family.type !== 'unknown') fail('a type is said twice');
    if (SUFFIXES[said] === undefined) fail('no type');
    family.type = said;
  } else if (what === 'UNIT') {
    if (!family.name.endsWith(`_${said}`)) fail('a unit that the name does not end in');
    family.unit = said;
  } else {
    if (/(?<!\\)(?:\\\\)*\\[^\\n"]/.test(said) || /(?<!\\)(?:\\\\)*"/.test(said)) fail('help that is not escaped');
    family.help = said;
  }
}

function sampleOf(line: string, fail: (problem: string) => never): OpenSample {
  const match = SAMPLE.exec(line) ?? fail('neither a description nor a sample');
  const [, name = '', labels = '{}', value = '', , exemplarLabels, exemplarValue = '', exemplarTime] = match;
  return {
    name,
    labels: labelsOf(labels, fail),
    value: numberOf(value),
    exemplar: exemplarLabels === undefined ? null : exemplarOf(exemplarLabels, exemplarValue, exemplarTime, fail),
  };
}

function exemplarOf(labels: string, value: string, time: string | undefined, fail: (problem: string) => never): OpenExemplar {
  const read = labelsOf(labels, fail);
  if (Array.from(Object.entries(read).flat().join('')).length > MAX_EXEMPLAR_CHARS)
    fail('an exemplar with labels of more than 128 characters');
  return { labels: read, value: numberOf(value), timestamp: time === undefined ? null : numberOf(time) };
}

function labelsOf(text: string, fail: (problem: string) => never): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"/g)) {
    if (name in labels) fail(`the label ${name} is there twice`);
    labels[name] = value.replace(/\\(["\\n])/g, (_all, character: string) => (character === 'n' ? '\n' : character));
  }
  return labels;
}

function numberOf(text: string): number {
  return text.endsWith('Inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}

/** Buckets rise, the last is +Inf and equals the count, and an exemplar lies in its bucket. */
function checkHistogram({ name, samples }: OpenFamily): void {
  const series = new Map<string, { bounds: number[]; counts: number[]; count: number | null; sum: number | null }>();
  for (const sample of samples) {
    const { le, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    const one = series.get(key) ?? { bounds: [], counts: [], count: null, sum: null };
    series.set(key, one);
    if (sample.name === `${name}_count`) one.count = sample.value;
    else if (sample.name === `${name}_sum`) one.sum = sample.value;
    else {
      const bound = numberOf(le ?? 'NaN');
      const below = one.bounds.at(-1) ?? -Infinity;
      if (!(bound > below)) throw new Error(`${name}${key}: bucket ${le} is not above the one before`);
      if (le !== '+Inf' && !/[.e]/.test(le ?? ''))
        throw new Error(`${name}${key}: the bound ${le} is not written as a number that is no count`);
      if (sample.value < (one.counts.at(-1) ?? 0)) throw new Error(`${name}${key}: bucket ${le} counts less than the one before`);
      const { exemplar } = sample;
      if (exemplar !== null && !(exemplar.value > below && exemplar.value <= bound))
        throw new Error(`${name}${key}: the exemplar of ${le} is not in it`);
      one.bounds.push(bound);
      one.counts.push(sample.value);
    }
  }
  for (const [key, { bounds, counts, count, sum }] of series) {
    if (bounds.at(-1) !== Infinity || counts.at(-1) !== count || sum === null) throw new Error(`${name}${key} is not whole`);
  }
}
