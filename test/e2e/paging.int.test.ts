/**
 * One law for every list there is, found in the schema: whatever the sizes of the pages and whichever
 * way they are read, the pages make up the list, each item once and in its order.
 */
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { buildSchema, getNamedType, isNonNullType, isObjectType } from 'graphql';
import { z } from 'zod';

import { closeAll, open, type Running } from './installation.ts';

const sdl = buildSchema(
  readFileSync(new URL('../../graphql/schema.graphql', import.meta.url), 'utf8'),
);

/** Of what is no node, and what grows by being read: their own tests hold them to it. */
const others: ReadonlySet<string> = new Set(['OfferedPackage.containers', 'Query.auditEvents']);

/** Every field that answers a connection, by the type it is of. */
const lists = Object.values(sdl.getTypeMap()).flatMap((type) =>
  !isObjectType(type) || type.name.startsWith('__')
    ? []
    : Object.values(type.getFields())
        .filter((field) => getNamedType(field.type).name.endsWith('Connection'))
        .map((field) => ({ type: type.name, field }))
        .filter((list) => !others.has(`${list.type}.${list.field.name}`)),
);

/** Arguments that must be given, by the name of the field. */
const needed: Readonly<Record<string, () => string>> = {
  journal: () => `issuerId: "${running.installation.provider.tenantId}"`,
  // Of the viewer's own account unless told, and the provider has few.
  members: () => `accountId: "${running.seeded.customer.tenantId}"`,
  apiKeys: () => `accountId: "${running.seeded.customer.tenantId}"`,
  invitations: () => `accountId: "${running.seeded.customer.tenantId}"`,
  containersWithPackage: () => 'name: "bash"',
  packagesWithFile: () => 'path: "/bin/bash"',
};
/** Lists that nothing here fills with several: what is lost on nodes, what repositories offer. */
const empty: ReadonlySet<string> = new Set([
  'Query.containerDifferences',
  'Query.parkedHomes',
  'Query.strayInstances',
  'Query.packagesWithFile',
  'Container.packageChanges',
  'Container.updates',
  'Person.history',
  'Repository.packages',
]);
let running: Running;
/** Ids to look at, by type: the one whose list is longest is taken. */
const candidates: Record<string, string[]> = {};

beforeAll(async () => {
  running = await open({
    nodeUrl: 'fake:,fake:,fake:',
    settings: { COST_CAPACITY: '1000000000', STAFF_COST_CAPACITY: '1000000000' },
  });
  await fill();
}, 600_000);
afterAll(closeAll);

const money = (amount: string) => ({ amount, currency: 'EUR' });

/** Something of everything, so that pages have ends. */
async function fill(): Promise<void> {
  const { staff, owner, installation, seeded, clock } = running;
  const { host } = installation;
  const accountId = seeded.customer.tenantId;
  const told = async (name: string, input: Record<string, unknown>) => {
    const answer = await staff.mutate(name, input);
    if (answer.code !== undefined) throw new Error(`${name}: ${JSON.stringify(answer)}`);
    return answer;
  };
  // Nobody pays here, and nobody is to be reminded.
  await told('setPaymentTerm', { issuerId: installation.provider.tenantId, days: 90 });
  for (let i = 0; i < 3; i++) {
    clock.advance(60_000);
    const { id, client } = await running.anotherCustomer(`c${i}`);
    await running.end(await running.order({ accountId: id, plan: 'basic' }, `c${i}`, client));
    const member = await told('addMember', {
      ...{ accountId, email: `m${i}@x.example`, name: `M ${i}`, role: 'MEMBER' },
    });
    await host.settled();
    await told('createApiKey', { accountId, memberId: member.memberId, label: `key ${i}` });
  }
  for (const planCode of ['basic', '1000', '2000']) {
    await told('setPrice', {
      ...{ issuerId: accountId, planCode, monthly: money('5.00'), setup: money('1.00') },
      extraAddressMonthly: money('1.00'),
    });
  }
  const orders = await Promise.all(
    [0, 1, 2, 3].map((i) => running.order({ hostname: `p${i}.example.com`, plan: 'basic' })),
  );
  const containers: string[] = [];
  for (const order of orders) containers.push((await running.end(order)).targetId);
  const [first = ''] = containers;
  for (const name of ['stopContainer', 'startContainer', 'addAddresses']) {
    await running.end(await owner.mutate(name, { containerId: first }));
  }
  for (let i = 0; i < 3; i++) {
    await told('chargeFee', { accountId, name: `Fee ${i}`, amount: money('1.00'), reason: 'once' });
    await told('attachAddOn', { accountId, name: `Add-on ${i}`, monthly: money('2.00') });
    await told('recordPayment', { accountId, reference: `pay ${i}`, amount: money('1.00') });
    await told('registerAddressRange', { cidr: `10.77.${i}.0/24`, location: 'elsewhere' });
    await told('replacePlanTerms', {
      ...{ planId: await planId(), name: `1000, ${i}`, includedAddresses: 1 },
      limits: {
        ...{ cpuMillis: 1000, memoryBytes: '1073741824', diskBytes: '4294967296' },
        ...{ processes: 240, cpuUnits: 1000 },
      },
      ...{ monthly: money('20.00'), setup: money('10.00'), extraAddressMonthly: money('2.00') },
    });
    const { inventory } = await inventoryOf();
    await told('draftImage', {
      ...{ name: `image ${i}`, digest: `${i}`.repeat(64), inventory },
      ...{ source: 'builtin:skel', services: [] },
    });
  }
  for (const name of ['Renamed', 'Demo Customer']) await told('renameTenant', { accountId, name });
  for (const name of ['one', 'two', 'three']) {
    await told('inviteMember', { accountId, email: `${name}@x.example`, role: 'MEMBER' });
    await told('startActing', { accountId, reason: `to look at ${name}`, minutes: 5 });
    const baseUrl = `https://packages.example/${name}/`;
    await told('registerRepository', { name, arch: 'x86_64', baseUrl, enabled: false });
  }
  await told('setLimit', { accountId, limit: null, reason: 'none' });
  for (const month of ['2026-04', '2026-05', '2026-06']) {
    const [year = '', number = ''] = month.split('-');
    clock.moveTo(`${year}-${String(Number(number) + 1).padStart(2, '0')}-01T01:00:00.000Z`);
    await running.quiet();
    if (month === '2026-04') {
      await told('runMonth', { issuerId: installation.provider.tenantId, month });
    } else {
      await told('closeMonth', { accountId, month });
    }
    await host.settled();
  }
  await running.quiet();
  const { invoices } = await staff.read(
    z.object({
      invoices: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
    }),
    `{ invoices(first: 10, accountId: "${accountId}") { edges { node { id } } } }`,
  );
  const issued = invoices.edges.map(({ node }) => node.id);
  for (const invoiceId of issued.slice(0, 2)) {
    await told('voidInvoice', { accountId, invoiceId, reason: 'a mistake' });
  }
  await host.settled();
  const ids = async (field: string): Promise<string[]> => {
    const { it } = await staff.read(
      z.object({
        it: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
      }),
      `{ it: ${field}(last: 20) { edges { node { id } } } }`,
    );
    return it.edges.map(({ node }) => node.id);
  };
  candidates['Account'] = await ids('accounts');
  candidates['Container'] = containers;
  candidates['HardwareNode'] = await ids('nodes');
  candidates['Image'] = await ids('images');
  candidates['Invoice'] = issued;
  candidates['Operation'] = await ids('operations');
  candidates['Repository'] = await ids('repositories');
  for (const repositoryId of candidates['Repository'].slice(0, 1)) {
    await told('enableRepository', { repositoryId });
  }
  const { members } = await staff.read(
    z.object({
      members: z.object({
        edges: z.array(z.object({ node: z.object({ personId: z.string() }) })),
      }),
    }),
    `{ members(accountId: "${accountId}") { edges { node { personId } } } }`,
  );
  candidates['Person'] = members.edges.map(({ node }) => node.personId);
  candidates['Plan'] = [await planId()];
  const notes = await staff.read(
    z.object({
      account: z.object({
        creditNotes: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }),
      }),
    }),
    `{ account(id: "${accountId}") { creditNotes { edges { node { id } } } } }`,
  );
  candidates['CreditNote'] = notes.account.creditNotes.edges.map(({ node }) => node.id);
}

async function planId(): Promise<string> {
  const { plan } = await running.staff.read(
    z.object({ plan: z.object({ id: z.string() }) }),
    '{ plan(code: "1000") { id } }',
  );
  return plan.id;
}

async function inventoryOf(): Promise<{ readonly inventory: string }> {
  const { image } = await running.staff.read(
    z.object({ image: z.object({ inventory: z.string() }) }),
    `{ image(id: "${running.seeded.imageId}") { inventory } }`,
  );
  return image;
}

const PageSchema = z.object({
  edges: z.array(z.object({ cursor: z.string() }).loose()),
  pageInfo: z.object({
    hasNextPage: z.boolean(),
    hasPreviousPage: z.boolean(),
    startCursor: z.string().nullable(),
    endCursor: z.string().nullable(),
  }),
});
type Page = z.output<typeof PageSchema>;
type List = (typeof lists)[number];

function document({ type, field }: List, args: string, id: string): string {
  const all = [needed[field.name]?.() ?? '', args].filter((part) => part !== '').join(', ');
  const asked = `it: ${field.name}(${all}) {
    edges { cursor node { __typename ${identity(field.type)} } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`;
  return type === 'Query'
    ? `{ ${asked} }`
    : `{ node(id: "${id}") { ... on ${type} { ${asked} } } }`;
}

/** What tells an item from another, where it has it. */
function identity(connection: List['field']['type']): string {
  const page = getNamedType(connection);
  const edges = isObjectType(page) ? page.getFields()['edges']?.type : undefined;
  const edge = edges === undefined ? undefined : getNamedType(edges);
  const node = isObjectType(edge) ? edge.getFields()['node']?.type : undefined;
  const item = node === undefined ? undefined : getNamedType(node);
  return isObjectType(item) && 'id' in item.getFields() ? 'id' : '';
}

async function page(list: List, args: string, id: string): Promise<Page> {
  const { data, errors } = await running.staff.ask(document(list, args, id));
  if (errors.length > 0) throw new Error(`${list.field.name}(${args}): ${JSON.stringify(errors)}`);
  const of = z.object({ it: PageSchema });
  return list.type === 'Query' ? of.parse(data).it : z.object({ node: of }).parse(data).node.it;
}

/** The whole of the longest of such lists. */
async function longest(list: List): Promise<{ readonly id: string; readonly whole: Page }> {
  let found: { id: string; whole: Page } | undefined;
  for (const id of list.type === 'Query' ? [''] : (candidates[list.type] ?? [])) {
    const whole = await page(list, 'first: 100', id);
    if (found === undefined || whole.edges.length > found.whole.edges.length) found = { id, whole };
  }
  if (found === undefined) throw new Error(`nothing to look at of ${list.type}`);
  return found;
}

describe.each(lists.map((list) => [`${list.type}.${list.field.name}`, list] as const))(
  '%s',
  (_name, list) => {
    test('takes first, after, last and before, and answers all of pageInfo', () => {
      const args = list.field.args.map(({ name }) => name);
      expect(args).toEqual(expect.arrayContaining(['first', 'after', 'last', 'before']));
      const required = list.field.args.filter(
        ({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined,
      );
      expect(required.length === 0 || list.field.name in needed).toBe(true);
    });

    test('is made up by its pages, whichever way and whatever their sizes', async () => {
      const { id, whole } = await longest(list);
      if (empty.has(`${list.type}.${list.field.name}`)) return;
      expect(whole.edges.length).toBeGreaterThan(1);
      expect(whole.pageInfo.hasNextPage).toBe(false);
      expect(whole.pageInfo.hasPreviousPage).toBe(false);
      const cursors = whole.edges.map(({ cursor }) => cursor);
      expect(new Set(cursors).size).toBe(cursors.length);
      await fc.assert(
        fc.asyncProperty(
          fc.boolean(),
          fc.infiniteStream(fc.integer({ min: 1, max: Math.min(100, whole.edges.length + 1) })),
          async (forwards, sizes) => {
            const read: Page['edges'][] = [];
            let cursor: string | null = null;
            for (;;) {
              const size = Number(sizes.next().value);
              const from = cursor === null ? '' : `, ${forwards ? 'after' : 'before'}: "${cursor}"`;
              const part = await page(list, `${forwards ? 'first' : 'last'}: ${size}${from}`, id);
              read.push(part.edges);
              const { startCursor, endCursor, hasNextPage, hasPreviousPage } = part.pageInfo;
              expect(startCursor).toBe(part.edges[0]?.cursor ?? null);
              expect(endCursor).toBe(part.edges.at(-1)?.cursor ?? null);
              const total = read.flat().length;
              expect(forwards ? hasNextPage : hasPreviousPage).toBe(total < whole.edges.length);
              if (total >= whole.edges.length) break;
              expect(part.edges).toHaveLength(size);
              cursor = forwards ? endCursor : startCursor;
            }
            const made = (forwards ? read : read.reverse()).flat();
            expect(made).toEqual(whole.edges);
          },
        ),
        { numRuns: 6 },
      );
    });

    test('between two of its cursors has what lies between them', async () => {
      const { id, whole } = await longest(list);
      const [low, high] = [whole.edges[0]?.cursor, whole.edges.at(-1)?.cursor];
      if (low === undefined || high === undefined || low === high) return;
      const between = `after: "${low}", before: "${high}"`;
      expect((await page(list, `first: 100, ${between}`, id)).edges).toEqual(
        whole.edges.slice(1, -1),
      );
      expect((await page(list, `last: 100, ${between}`, id)).edges).toEqual(
        whole.edges.slice(1, -1),
      );
    });

    test('refuses pages of none and of too many, both ends at once, and cursors of nothing', async () => {
      const { id } = await longest(list);
      for (const args of [
        'first: 0',
        'first: 101',
        'last: -1',
        'first: 1, last: 1',
        'after: ""',
        'after: "no cursor"',
        'before: "no cursor"',
      ]) {
        const { errors } = await running.staff.ask(document(list, args, id));
        expect([args, ...errors.map(({ code }) => code)]).toEqual([args, 'INVALID_ARGUMENT']);
      }
    });
  },
);

/** Filters of lists: the argument and the field that it is about. */
const filters: readonly (readonly [list: string, argument: string, type: string, field: string])[] =
  [
    ['containers', 'lifecycle', 'ContainerLifecycle', 'lifecycle'],
    ['operations', 'status', 'OperationStatus', 'status'],
    ['operations', 'kind', 'OperationKind', 'kind'],
    ['operations', 'targetId', 'ID', 'targetId'],
    ['invoices', 'state', 'InvoiceState', 'state'],
    ['invoices', 'month', 'Month', 'month'],
    ['images', 'status', 'ImageStatus', 'status'],
    ['nodes', 'location', 'String', 'location'],
    ['addressRanges', 'location', 'String', 'location'],
    ['addressRanges', 'family', 'AddressFamily', 'family'],
  ];
/** Lists with a range of time, and the field that it is about. */
const ranges: readonly (readonly [list: string, field: string])[] = [
  ['containers', 'createdAt'],
  ['operations', 'createdAt'],
  ['invoices', 'issuedAt'],
];

async function filtered(
  list: string,
  field: string,
  declared = '',
  given = '',
  variables: Record<string, unknown> = {},
): Promise<{ readonly id: string; readonly value: string }[]> {
  const { it } = await running.staff.read(
    z.object({
      it: z.object({
        edges: z.array(z.object({ node: z.object({ id: z.string(), value: z.string() }) })),
      }),
    }),
    `query Q${declared} { it: ${list}(first: 100${given}) { edges { node { id value: ${field} } } } }`,
    variables,
  );
  return it.edges.map(({ node }) => node);
}

test.each(filters)(
  '%s by %s are those of the whole list that have it',
  async (list, argument, type, field) => {
    const whole = await filtered(list, field);
    const values = [...new Set(whole.map(({ value }) => value))];
    expect(values.length).toBeGreaterThan(0);
    for (const value of values) {
      const found = await filtered(list, field, `($x: ${type})`, `, ${argument}: $x`, { x: value });
      expect(found).toEqual(whole.filter((item) => item.value === value));
    }
  },
);

test.each(ranges)(
  '%s of a range of time are those of the whole list that began in it',
  async (list, field) => {
    const whole = await filtered(list, field);
    const instants = [...new Set(whole.map(({ value }) => value))].sort();
    expect(instants.length).toBeGreaterThan(1);
    for (const [i, from] of instants.entries()) {
      for (const until of [...instants.slice(i), undefined]) {
        const found = await filtered(
          list,
          field,
          '($from: DateTime, $until: DateTime)',
          ', createdFrom: $from, createdUntil: $until',
          { from, until },
        );
        const within = (at: string): boolean => at >= from && (until === undefined || at < until);
        expect(found).toEqual(whole.filter(({ value }) => within(value)));
      }
    }
  },
);
