/** What a process says of itself, out of Prometheus' text format: the samples, without help and kinds. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;
const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

/** The samples of a text; undefined where a line of it is none: then it is no such text. */
export function samplesOf(text: string): readonly Sample[] | undefined {
  const samples: Sample[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, inside = '', number = ''] = LINE.exec(line) ?? [];
    const labels = labelsOf(inside);
    const value = valueOf(number);
    if (name === undefined || labels === undefined || value === undefined) return undefined;
    samples.push({ name, labels, value });
  }
  return samples;
}

function labelsOf(text: string): Readonly<Record<string, string>> | undefined {
  const labels: [string, string][] = [];
  let end = 0;
  for (const match of text.matchAll(LABEL)) {
    const [whole, name = '', value = ''] = match;
    labels.push([name, value.replace(/\\[n"\\]/g, (escaped) => ESCAPES[escaped] ?? escaped)]);
    end = match.index + whole.length;
  }
  return end === text.length ? Object.fromEntries(labels) : undefined;
}

function valueOf(text: string): number | undefined {
  if (text === 'NaN' || text === 'Nan') return NaN;
  if (/^[+-]?Inf$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  const value = Number(text);
  return text === '' || Number.isNaN(value) ? undefined : value;
}
