/** A report as one screen of 80 columns: what is wrong first, each with where it says what to do. */
import { duration, type Report } from './evaluate.ts';

const WIDTH = 80;
/** Nodes that are listed: the longest silent are first. */
const NODES = 8;

/** @param colours whether the terminal shows them */
export function screenOf(report: Report, colours: boolean): string {
  const paint = (code: number, text: string): string =>
    colours ? `\u001b[${code}m${text}\u001b[0m` : text;
  const lines: string[] = [];
  for (const { alert, what, remedy, runbook } of report.problems) {
    const [first = '', ...rest] = wrapped(`${alert}: ${what}`, WIDTH - 2);
    lines.push(
      paint(31, `! ${first}`),
      ...rest.map((line) => paint(31, `  ${line}`)),
      ...wrapped(`-> ${remedy} (${runbook})`, WIDTH - 2).map((line) => `  ${line}`),
    );
  }
  for (const what of report.unclear) {
    lines.push(...wrapped(`? ${what}`, WIDTH).map((line) => paint(33, line)));
  }
  if (report.ok) lines.push(paint(32, 'All is well.'));
  lines.push('', `${'PROCESS'.padEnd(24)}${'STATE'.padEnd(11)}${'RELEASE'.padEnd(12)}UP`);
  for (const { name, state, release, uptimeSeconds } of report.processes) {
    const up = uptimeSeconds === null ? '-' : duration(uptimeSeconds);
    lines.push(
      `${cut(name, 23).padEnd(24)}${state.padEnd(11)}${cut(release ?? '-', 11).padEnd(12)}${up}`,
    );
  }
  if (report.nodes.length > 0) {
    lines.push('', `${'NODE'.padEnd(36)}HEARD`);
    for (const { node, silentSeconds } of report.nodes.slice(0, NODES)) {
      const heard =
        silentSeconds === null
          ? 'never'
          : silentSeconds === 0
            ? 'connected'
            : `${duration(silentSeconds)} ago`;
      lines.push(`${cut(node, 35).padEnd(36)}${heard}`);
    }
    const more = report.nodes.length - NODES;
    if (more > 0) lines.push(`and ${more} more`);
  }
  lines.push('', 'LARGEST OVER ALL PROCESSES');
  for (const [name, value] of Object.entries(report.values)) {
    const text = value === null ? '-' : name.endsWith('_seconds') ? duration(value) : String(value);
    lines.push(`${name.replaceAll('_', ' ').padEnd(36)}${text}`);
  }
  lines.push(`${'last backup'.padEnd(36)}${report.lastBackup ?? 'never'}`);
  return lines.join('\n');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
