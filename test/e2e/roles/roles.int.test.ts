/**
 * Who may what: every field of Query, every node type with every field, every mutation, asked by a
 * viewer of each role about what is their own, below them, beside them and elsewhere. What is to come
 * of it follows from the table and the roles' rights alone.
 */
import { readFileSync } from 'node:fs';

import { type Role, rightsOf, type TenantKind } from '@bivouac/events/accounts';
import type { Right } from '@bivouac/events/language';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSchema, isLeafType, isObjectType, getNamedType } from 'graphql';

import { closeAll } from '../installation.ts';
import {
  emptyWhenForeign,
  mutations,
  nodes,
  NOTHING,
  queries,
  type Row,
  type Things,
} from './table.ts';
import { makeWorld, type Place, type Viewer, type World } from './world.ts';

const sdl = buildSchema(
  readFileSync(new URL('../../../graphql/schema.graphql', import.meta.url), 'utf8'),
);

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(closeAll);

// --- the table has everything -------------------------------------------------------------------

const nameOf = (asked: string): string => asked.replace(/\(.*$/, '');
const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');
const nodeTypes = Object.values(sdl.getTypeMap()).filter(
  (type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node'),
);

describe('the table of rights', () => {
  test('has a row for every field of Query and every mutation, and no other', () => {
    expect(Object.keys(queries).sort()).toEqual(
      Object.keys(sdl.getQueryType()?.getFields() ?? {}).sort(),
    );
    expect(Object.keys(mutations).sort()).toEqual(
      Object.keys(sdl.getMutationType()?.getFields() ?? {}).sort(),
    );
  });

  test('has every node type with every field, and no other', () => {
    expect(Object.keys(nodes).sort()).toEqual(nodeTypes.map(({ name }) => name).sort());
    for (const type of nodeTypes) {
      const listed = Object.values(nodes[type.name]?.fields ?? {}).flatMap(words);
      const there = isObjectType(type) ? Object.keys(type.getFields()) : [];
      expect([type.name, listed.map(nameOf).sort()]).toEqual([type.name, there.sort()]);
    }
  });
});

// --- what is to come of it ----------------------------------------------------------------------

const kinds: Readonly<Record<Viewer['of'], TenantKind>> = {
  provider: 'provider',
  reseller: 'reseller',
  child: 'customer',
};
const has = ({ role, of }: Viewer, right: Right): boolean =>
  rightsOf(role, kinds[of]).includes(right);
const reached: Readonly<Record<Viewer['of'], readonly Place[]>> = {
  provider: ['reseller', 'child', 'sibling', 'foreign'],
  reseller: ['reseller', 'child', 'sibling'],
  child: ['child'],
};
/** Who invoices the account: the tenant above it. */
const issuerReached: Readonly<Record<Viewer['of'], readonly Place[]>> = {
  provider: ['reseller', 'child', 'sibling', 'foreign'],
  reseller: ['child', 'sibling'],
  child: [],
};
const readOnly: ReadonlySet<Role> = new Set(['auditor']);

type Outcome = 'seen' | 'absent' | 'forbidden';

/** Of a reading: within reach the right decides, beyond it there is nothing either way. */
function reading(viewer: Viewer, { right, whose }: Row, place: Place): readonly Outcome[] {
  if (whose === 'staff') {
    return [viewer.of === 'provider' && has(viewer, right) ? 'seen' : 'forbidden'];
  }
  if (whose === 'tenant' && !reached[viewer.of].includes(place)) {
    return has(viewer, right) ? ['absent'] : ['absent', 'forbidden'];
  }
  return [has(viewer, right) ? 'seen' : 'forbidden'];
}

/** Of a change. Beyond reach it is refused in one of the two ways, never admitted. */
function changing(viewer: Viewer, row: Row, place: Place): readonly Outcome[] {
  const { whose } = row;
  if (whose === 'invited') return ['absent'];
  const right = viewer.of === 'provider' ? (row.ofStaff ?? row.right) : row.right;
  const staff = viewer.of === 'provider' && !readOnly.has(viewer.role);
  if (whose === 'staff') {
    if (staff && has(viewer, right)) return ['seen'];
    return reached[viewer.of].includes(place) ? ['forbidden'] : ['absent', 'forbidden'];
  }
  if (whose !== 'anyone' && !reached[viewer.of].includes(place)) return ['absent', 'forbidden'];
  if (!has(viewer, right)) return ['forbidden'];
  if (whose === 'issuer' && !issuerReached[viewer.of].includes(place)) return ['forbidden'];
  return ['seen'];
}

const places: readonly Place[] = ['reseller', 'child', 'sibling', 'foreign'];

/** Holds every viewer at every place to it; answers every cell that is otherwise. */
async function otherwise(
  expected: (viewer: Viewer, place: Place) => readonly Outcome[],
  look: (viewer: Viewer, things: Things, cell: number) => Promise<Outcome>,
): Promise<string[]> {
  const wrong: string[] = [];
  let cell = 0;
  for (const viewer of world.viewers) {
    for (const place of places) {
      cell += 1;
      const outcome = await look(viewer, world.things[place], cell);
      const allowed = expected(viewer, place);
      if (allowed.includes(outcome)) continue;
      wrong.push(`${viewer.name} at ${place}: ${outcome}, not ${allowed.join(' or ')}`);
    }
  }
  return wrong;
}

function selection(type: string, asked: string): string {
  const parent = sdl.getType(type);
  const field = isObjectType(parent) ? parent.getFields()[nameOf(asked)] : undefined;
  if (field === undefined) return asked;
  return isLeafType(getNamedType(field.type)) ? asked : `${asked} { __typename }`;
}

test('the viewers are of every role, and each reaches something', () => {
  expect(world.viewers.length).toBe(7 + 6 + 6);
});

describe('a field of Query', () => {
  test.each(Object.entries(queries))('%s', async (name, row) => {
    const wrong = await otherwise(
      (viewer, place) =>
        emptyWhenForeign.has(name)
          ? reading(viewer, { ...row, whose: 'anyone' }, place)
          : reading(viewer, row, place),
      async ({ client }, of) => {
        const { data, errors } = await client.ask(`{ ${row.ask(of)} }`);
        if (errors.length > 0) {
          expect(errors.map(({ code }) => code)).toEqual(['FORBIDDEN']);
          return 'forbidden';
        }
        return JSON.stringify(data).includes(row.holds(of)) ? 'seen' : 'absent';
      },
    );
    expect(wrong).toEqual([]);
  });
});

describe('a node', () => {
  test.each(Object.entries(nodes))('%s, by its id', async (_type, row) => {
    const wrong = await otherwise(
      // `node` tells nobody that something is there which they may not see.
      (viewer, place) =>
        reading(viewer, row, place).flatMap((one) =>
          one === 'forbidden' ? (['forbidden', 'absent'] as const) : [one],
        ),
      async ({ client }, of) => {
        const { data, errors } = await client.ask(`{ node(id: "${of[row.thing]}") { id } }`);
        if (errors.length > 0) return 'forbidden';
        return data?.['node'] === null ? 'absent' : 'seen';
      },
    );
    expect(wrong).toEqual([]);
  });

  test.each(Object.entries(nodes))('%s, field by field', async (type, row) => {
    const wrong: string[] = [];
    for (const viewer of world.viewers) {
      for (const place of places) {
        if (!reading(viewer, row, place).includes('seen')) continue;
        for (const [right, fields] of Object.entries(row.fields)) {
          const allowed = has(viewer, right as Right);
          for (const asked of words(fields)) {
            const { data, errors } = await viewer.client.ask(
              `{ node(id: "${world.things[place][row.thing]}") { ... on ${type} { it: ${selection(type, asked)} } } }`,
            );
            const codes = errors.map(({ code }) => code);
            if (codes.length > 0 ? allowed || codes[0] !== 'FORBIDDEN' : !allowed) {
              wrong.push(`${viewer.name} at ${place}: ${asked} is ${codes.join() || 'answered'}`);
            }
            const forStaff = words(row.staffOnly ?? '').includes(asked);
            const answer = JSON.stringify(data);
            if (forStaff && viewer.of !== 'provider' && answer !== '{"node":{"it":null}}') {
              wrong.push(`${viewer.name} at ${place}: ${asked} is told: ${answer}`);
            }
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** Whether an input names what is not there, so that who is admitted is told just that. */
function namesNothing(row: (typeof mutations)[string], place: Place): boolean {
  const input = JSON.stringify(row.input(world.things[place], 0));
  return row.namesNothing === true || input.includes(NOTHING);
}

describe('a mutation', () => {
  test.each(Object.entries(mutations))('%s', async (name, row) => {
    const wrong = await otherwise(
      (viewer, place) => {
        const outcomes = changing(viewer, row, place);
        return namesNothing(row, place) && outcomes.includes('seen')
          ? [...outcomes, 'absent']
          : outcomes;
      },
      async ({ client }, of, cell) => {
        const answer = await client.mutate(name, row.input(of, cell)).catch((error: unknown) => {
          // To name the account, it is read first: that takes a right as well.
          if (String(error).startsWith('Error: FORBIDDEN')) return { __typename: 'NotAllowed' };
          throw error;
        });
        if (answer.__typename === 'NotAllowed') return 'forbidden';
        if (answer.__typename === 'ValidationFailed') throw new Error(JSON.stringify(answer));
        return answer.__typename === 'NotFound' ? 'absent' : 'seen';
      },
    );
    expect(wrong).toEqual([]);
  });
});

test('an invoice says to each viewer what recordPayment would answer, and that it was taken back', async () => {
  const { recordPayment } = mutations;
  if (recordPayment === undefined) throw new Error('no row');
  const wrong = await otherwise(
    (viewer, place) => {
      if (!reading(viewer, { right: 'billing.read', whose: 'tenant' }, place).includes('seen')) {
        return ['absent', 'forbidden'];
      }
      return changing(viewer, recordPayment, place);
    },
    async ({ client }, of) => {
      const { data, errors } = await client.ask(
        `{ invoice(id: "${of.invoice}") { viewerCanRecordPayment viewerCanVoid } }`,
      );
      if (errors.length > 0) return 'forbidden';
      const invoice = data?.['invoice'];
      if (typeof invoice !== 'object' || invoice === null) return 'absent';
      // Each was voided when the world was made.
      expect(invoice).toMatchObject({ viewerCanVoid: false });
      return 'viewerCanRecordPayment' in invoice && invoice.viewerCanRecordPayment === true
        ? 'seen'
        : 'forbidden';
    },
  );
  expect(wrong).toEqual([]);
});
