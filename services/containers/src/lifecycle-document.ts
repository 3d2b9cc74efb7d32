/** The table of transitions as a document for people: `docs/container-lifecycle.md`. */
import { allows, type Lifecycle, type Transition, transitions } from './domain/container/index.ts';

const says: Readonly<Record<Lifecycle, string>> = {
  none: 'Nothing is known of it.',
  requested: 'Ordered; it has nothing on any node.',
  reserved: 'It has a place, addresses and a reservation of quota.',
  building: 'Its node makes it.',
  stopped: 'It is not to run.',
  running: 'It is to run.',
  frozen: 'It is to be in memory, without CPU.',
  'soft-deleted': 'Deleted for its owner; place, addresses and data stay until its window ends.',
  deleting: 'Its node destroys it.',
  deleted: 'Gone. It has run.',
  failed: 'Gone, or never there. It has never run.',
};
const lifecycles = Object.keys(says) as Lifecycle[];
const names = Object.keys(transitions) as Transition[];

const bringers = {
  owner: 'its owner, by an operation',
  staff: 'the staff, or a hold of the account',
  order: 'the operation that makes or changes it',
  node: 'its node',
} as const;

/** The whole document. */
export function lifecycleDocument(): string {
  return `${[
    '# The life of a container',
    'Written from the table in `services/containers/src/domain/container/transitions.ts`, which every ' +
      'decision asks. Do not edit it: change the table and run ' +
      '`node --conditions=source --import tsx services/containers/src/print-lifecycle.ts`.',
    'The lifecycle is what is **wanted** of a container. Three other things about it are independent: ' +
      'the operation that holds it, the holds on it, and what its node sees. A hold never changes the ' +
      'lifecycle: a held container is `running` and kept stopped until the last hold is lifted.',
    '## Lifecycles',
    rows(
      ['Lifecycle', 'Meaning'],
      lifecycles.map((one) => [code(one), says[one]]),
    ),
    '## Where each transition leads',
    diagram(),
    '## What is allowed where',
    'A transition that is not allowed is refused: `CONTAINER_UNKNOWN`, `CONTAINER_GONE`, ' +
      '`CONTAINER_SOFT_DELETED`, `CONTAINER_NOT_READY` or `CONTAINER_WRONG_LIFECYCLE` says why.',
    rows(
      ['Transition', 'Meaning', 'Brought about by', 'From', 'To'],
      names.map((name) => {
        const { says: meaning, by, from } = transitions[name];
        return [code(name), meaning, bringers[by], from.map(code).join(', '), target(name)];
      }),
    ),
    '## In each lifecycle',
    rows(
      ['Lifecycle', 'Allowed'],
      lifecycles.map((one) => [
        code(one),
        names
          .filter((name) => allows(name, one))
          .map(code)
          .join(', ') || 'nothing: it stays so',
      ]),
    ),
  ].join('\n\n')}\n`;
}

function target(name: Transition): string {
  const rule = transitions[name];
  if (!('to' in rule)) return 'stays';
  return rule.to === 'former' ? 'what it was before' : code(rule.to);
}

/** Only what changes the lifecycle. */
function diagram(): string {
  const lines: string[] = [];
  for (const name of names) {
    const rule = transitions[name];
    if (!('to' in rule)) continue;
    for (const from of rule.from) {
      const to = rule.to === 'former' ? (from === 'soft-deleted' ? 'running' : from) : rule.to;
      if (from !== to) lines.push(`  ${state(from)} --> ${state(to)}: ${name}`);
    }
  }
  return [
    'A restoration leads back to what it was before, here drawn as `running`.',
    ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n'),
  ].join('\n\n');
}

function state(lifecycle: Lifecycle): string {
  return lifecycle === 'none' ? '[*]' : lifecycle.replaceAll('-', '_');
}

function code(word: string): string {
  return `\`${word}\``;
}

/** A table with columns as wide as their widest cell. */
function rows(head: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) =>
    Math.max(cell.length, ...body.map((line) => line[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[], fill = ' '): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0, fill)).join(' | ')} |`;
  return [
    line(head),
    line(
      head.map(() => ''),
      '-',
    ),
    ...body.map((cells) => line(cells)),
  ].join('\n');
}
