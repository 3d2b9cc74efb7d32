/**
 * Who is erased is nowhere: not before, when everything is sealed, not after, when nothing opens any
 * more, and not when a backup of the keys comes back.
 */
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { runCommandLine } from '@bivouac/all';
import { type Sealed, SealedSchema } from '@bivouac/events/language';
import { embeddedBus } from '@bivouac/infra/bus';
import { folderKeys } from '@bivouac/infra/keys';
import { createLogger } from '@bivouac/infra/runtime';
import { afterEach, expect, test } from '@jest/globals';
import { z } from 'zod';

import { foundUnder } from './canaries.ts';
import type { Client } from './client.ts';
import { closeAll, limitOf, newFolder, open, type Running } from './installation.ts';

afterEach(closeAll);

/** A name and an address nobody else has, with characters that JSON, SQL and base64 write each their way. */
function canary(who: string) {
  const mark = randomBytes(9).toString('hex');
  return {
    mark,
    email: `${who}.${mark}@canary.example`,
    name: `${who} "Zoë" O'Wren\\${mark} Ψ`,
  };
}

type Canary = ReturnType<typeof canary>;

/** What to look for: the mark alone is found where anything of it is left. */
function textsOf(...canaries: readonly Canary[]): string[] {
  return canaries.flatMap(({ mark, email, name }) => [mark, email, name]);
}

const Person = z.object({
  personId: z.string(),
  email: z.string().nullable(),
  name: z.string().nullable(),
});
const Known = z.object({
  account: z.object({ contact: Person }),
  members: z.object({ edges: z.array(z.object({ node: Person.extend({ id: z.string() }) })) }),
});

async function known(client: Client, accountId: string, atLeast?: string | null) {
  const { account, members } = await client.read(
    Known,
    `query ($id: ID!, $at: Position) {
      account(id: $id, atLeast: $at) { contact { personId email name } }
      members(accountId: $id, atLeast: $at) { edges { node { id personId email name } } } }`,
    { id: accountId, at: atLeast ?? null },
  );
  return { contact: account.contact, members: members.edges.map(({ node }) => node) };
}

/** A customer whose contact and two members are canaries, with a container that was invoiced. */
async function life(running: Running, canaries: Record<'contact' | 'member' | 'stays', Canary>) {
  const { staff, installation, clock } = running;
  const settled = () => installation.host.settled();
  const created = await staff.mutate('createCustomer', {
    name: 'Public Company Name',
    email: canaries.contact.email,
    contactName: canaries.contact.name,
  });
  const accountId = created.accountId ?? '';
  await settled();
  await staff.mutate('setLimit', { accountId, limit: limitOf(3), reason: 'a customer' });
  const addMember = { accountId, ...only(canaries.member), role: 'OWNER' };
  const member = await staff.mutate('addMember', addMember, 'the member');
  await staff.mutate('addMember', { accountId, ...only(canaries.stays), role: 'OWNER' });
  await settled();
  const key = await staff.mutate('createApiKey', {
    ...{ accountId, label: 'deploy job' },
    memberId: member.memberId,
  });
  await settled();
  const client = running.client(key.key ?? '');
  const order = { accountId, hostname: 'web1.example.com' };
  expect(await running.end(await running.order(order, undefined, client))).toMatchObject({
    status: 'SUCCEEDED',
  });
  const now = new Date(clock.now());
  clock.moveTo(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1));
  const month = now.toISOString().slice(0, 7);
  expect(await running.end(await staff.mutate('closeMonth', { accountId, month }))).toMatchObject({
    status: 'SUCCEEDED',
  });
  const { account } = await client.read(
    z.object({ account: z.object({ invoices: z.object({ edges: z.array(z.unknown()) }) }) }),
    'query ($id: ID!) { account(id: $id) { invoices { edges { node { number } } } } }',
    { id: accountId },
  );
  expect(account.invoices.edges).toHaveLength(1);
  // What is refused must not be repeated by a log either.
  const wrong = await client.mutate('addMember', {
    ...{ accountId, role: 'OWNER', email: `no address ${canaries.member.email}` },
    name: canaries.member.name,
  });
  expect(wrong).toMatchObject({ code: 'INVALID_INPUT' });
  // Nor what is malformed, of the wrong type, or lost on the way to a service.
  const { email, name } = canaries.member;
  for (const [document, variables] of [
    [`mutation { addMember(input: { email: "${email}" name: `, {}],
    [`{ members(accountId: "${email}") { edges { node { ${canaries.member.mark} } } } }`, {}],
    [
      'mutation ($input: AddMemberInput!) { addMember(idempotencyKey: "x", input: $input) { __typename } }',
      { input: { accountId, role: name, email: [name], name: { email } } },
    ],
    [`query ($id: ID!) { account(id: $id) { id } }`, { id: email }],
  ] as const) {
    const { errors } = await client.ask(document, variables);
    expect(errors).not.toEqual([]);
  }
  await running.quiet();
  return { accountId, member, addMember, client };
}

function only({ email, name }: Canary) {
  return { email, name };
}

/** Everything the bus carries from the beginning, as lines of a file. */
async function captureBus({ installation: { store }, clock }: Running, file: string) {
  const bus = embeddedBus({ store, clock });
  const consumer = await bus.consume({
    group: 'canary',
    from: () => Promise.resolve(null),
    deliver: (partition, messages) => {
      for (const message of messages) {
        const said =
          message.kind === 'event'
            ? { ...message.event, data: Buffer.from(message.event.data).toString() }
            : message;
        const line = JSON.stringify({ partition, ...said }, (_key, value: unknown) =>
          typeof value === 'bigint' ? value.toString() : value,
        );
        appendFileSync(file, `${line}\n`);
      }
      return Promise.resolve();
    },
    failed: (error) => {
      throw error;
    },
  });
  return async () => {
    await consumer.stop(10_000);
    await bus.close();
  };
}

/** Every sealed value of the log. */
async function sealedIn({ installation: { store } }: Running): Promise<Sealed[]> {
  const found: Sealed[] = [];
  const look = (value: unknown): void => {
    const parsed = SealedSchema.safeParse(value);
    if (parsed.success) found.push(parsed.data);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(look);
  };
  for (let after: string | undefined; ;) {
    const page = await store.readAll(after === undefined ? {} : { after });
    for (const event of page.events) look(JSON.parse(Buffer.from(event.data).toString()));
    after = page.events.at(-1)?.position;
    if (page.end || after === undefined) return found;
  }
}

async function keyFilesOf(folder: string, person: string): Promise<string[]> {
  const names = await readdir(join(folder, 'keys', 'persons'), { recursive: true });
  return names.map((name) => name.slice(3)).filter((name) => name.startsWith(person));
}

const Verified = z.object({
  ok: z.boolean(),
  faults: z.array(z.unknown()),
  counts: z.object({
    commitmentsProved: z.number(),
    commitmentsErased: z.number(),
    commitmentsUnchecked: z.number(),
    keysOfErased: z.number(),
  }),
});

async function verified(folder: string) {
  const { text } = await runCommandLine(['log', 'verify', '--data', folder, '--json']);
  return Verified.parse(JSON.parse(text));
}

test('an erased person is in no file, log or message, opens nowhere, and no backup of the keys brings them back', async () => {
  const canaries = { contact: canary('connie'), member: canary('merlin'), stays: canary('stella') };
  const secrets = textsOf(...Object.values(canaries));
  const seen = await newFolder();
  const logger = createLogger('trace', {
    write: (line) => {
      appendFileSync(join(seen, 'process.log'), line);
    },
  });
  let running = await open({ logger });
  const { folder } = running;
  const stopBus = await captureBus(running, join(seen, 'bus.log'));
  const { accountId, member, addMember, client } = await life(running, canaries);

  // Before: whoever may read it does, and it is nowhere in clear.
  const before = await known(running.staff, accountId);
  const [merlin, stella] = before.members;
  expect(before).toMatchObject({
    contact: only(canaries.contact),
    members: [only(canaries.member), only(canaries.stays)],
  });
  expect(await foundUnder(folder, ['Public Company Name'])).not.toEqual([]);
  expect(await foundUnder(seen, [accountId])).not.toEqual([]);
  expect(await foundUnder(folder, secrets)).toEqual([]);
  const backup = join(await newFolder(), 'keys');
  await cp(join(folder, 'keys'), backup, { recursive: true });

  // The erasure: the member by themselves, the contact by the staff.
  const reason = 'CONSENT_WITHDRAWN';
  const first = await client.mutate('erasePerson', { personId: merlin?.personId, reason });
  expect(first).toMatchObject({ __typename: 'PersonErased' });
  const second = await running.staff.mutate('erasePerson', {
    ...{ personId: before.contact.personId, reason, purposes: ['CONTACT'] },
  });
  expect(second).toMatchObject({ __typename: 'PersonErased' });
  const nobody = { email: null, name: null };
  const after = {
    contact: nobody,
    members: [{ ...nobody, id: member.memberId }, only(canaries.stays)],
  };
  expect(await known(running.staff, accountId, second.position)).toMatchObject(after);
  await running.quiet();
  expect(await keyFilesOf(folder, merlin?.personId ?? '')).toEqual([
    `${merlin?.personId ?? ''}.contact.erased`,
  ]);
  const { person } = await running.staff.read(
    z.object({
      person: z.object({
        erased: z.array(z.object({ purpose: z.string() })),
        scheduled: z.array(z.object({ purpose: z.string(), until: z.string() })),
        history: z.object({
          edges: z.array(z.object({ node: z.object({ type: z.string() }) })),
        }),
      }),
    }),
    `query ($id: ID!) { person(id: $id) { erased { purpose at } scheduled { purpose until }
      history { edges { node { type actor data } } } } }`,
    { id: merlin?.personId },
  );
  expect(person).toMatchObject({
    erased: [{ purpose: 'CONTACT' }],
    scheduled: [
      { purpose: 'INVOICE', until: '2036-05-01T00:00:00.000Z' },
      { purpose: 'AUDIT', until: '2027-05-01T00:00:00.000Z' },
    ],
    history: {
      edges: [
        { node: { type: 'accounts.PersonErased' } },
        { node: { type: 'accounts.ErasureScheduled' } },
      ],
    },
  });
  // Adding them again with the key of the first time is refused, without a word of who it was.
  expect(await running.staff.mutate('addMember', addMember, 'the member')).toMatchObject({
    code: 'PERSON_ERASED',
  });
  const sealed = await sealedIn(running);
  await stopBus();
  await running.stop();
  expect(await foundUnder(folder, secrets)).toEqual([]);
  expect(await foundUnder(seen, secrets)).toEqual([]);
  const gone = new Set([merlin?.personId, before.contact.personId]);
  const erasedValues = sealed.filter((value) => gone.has(value.person));
  expect(erasedValues).toHaveLength(4);
  expect(await verified(folder)).toMatchObject({
    ok: true,
    faults: [],
    counts: {
      commitmentsErased: erasedValues.length,
      commitmentsProved: sealed.length - erasedValues.length,
      commitmentsUnchecked: 0,
    },
  });

  // What is shown is what the log says, erasures too.
  expect(await runCommandLine(['log', 'replay', '--data', folder])).toMatchObject({ exitCode: 0 });

  // The keys as they were before, with and without the read models: the log is what counts.
  for (const also of [[], ['views', 'snapshots']]) {
    await rm(join(folder, 'keys'), { recursive: true });
    await cp(backup, join(folder, 'keys'), { recursive: true });
    for (const name of also) await rm(join(folder, name), { recursive: true });
    expect(await verified(folder)).toMatchObject({
      ok: true,
      counts: { commitmentsErased: erasedValues.length, keysOfErased: gone.size },
    });
    running = await open({ logger, folder });
    expect(await known(running.staff, accountId)).toMatchObject(after);
    await running.stop();
    const keys = await folderKeys({ folder: join(folder, 'keys') });
    for (const value of erasedValues) expect(await keys.open(value)).toBeUndefined();
    for (const value of sealed.filter(({ person }) => person === stella?.personId)) {
      expect(textsOf(canaries.stays)).toContain(await keys.open(value));
    }
    await keys.close();
    expect(await verified(folder)).toMatchObject({
      ok: true,
      counts: { commitmentsErased: erasedValues.length, keysOfErased: 0, commitmentsUnchecked: 0 },
    });
    expect(await foundUnder(folder, secrets)).toEqual([]);
    expect(await foundUnder(seen, secrets)).toEqual([]);
  }
});

test('the keys of an erased member let nobody in, and what must be kept is erased at its time', async () => {
  const running = await open();
  const { staff, clock, installation } = running;
  const { id, client } = await running.anotherCustomer('wren', 1);
  const personId = (await known(staff, id)).members[0]?.personId ?? '';
  const erased = await staff.mutate('erasePerson', { personId, reason: 'NO_LONGER_NEEDED' });
  expect(erased).toMatchObject({ __typename: 'PersonErased' });
  await installation.host.settled();
  clock.advance(5_000);
  expect(await client.ask('{ viewer { keyId } }')).toMatchObject({
    status: 401,
    errors: [{ code: 'UNAUTHENTICATED' }],
  });
  clock.moveTo('2036-05-01T00:00:00.000Z');
  await installation.host.settled();
  const { person } = await staff.read(
    z.object({
      person: z.object({
        erased: z.array(z.object({ purpose: z.string() })),
        scheduled: z.array(z.unknown()),
      }),
    }),
    'query ($id: ID!) { person(id: $id) { erased { purpose } scheduled { purpose } } }',
    { id: personId },
  );
  expect(person).toEqual({
    erased: [{ purpose: 'CONTACT' }, { purpose: 'AUDIT' }, { purpose: 'INVOICE' }],
    scheduled: [],
  });
  expect(await keyFilesOf(running.folder, personId)).toEqual(
    expect.arrayContaining(
      ['contact', 'audit', 'invoice'].map((purpose) => `${personId}.${purpose}.erased`),
    ),
  );
});

test('who may not erase a person is told so, and what must be kept until when', async () => {
  const running = await open();
  const { staff, owner, seeded, installation } = running;
  const mine = (await known(staff, seeded.customer.tenantId)).members[0]?.personId ?? '';
  const foreign = (await known(staff, (await running.anotherCustomer('other', 1)).id)).members[0];
  const reason = 'OBJECTION';
  const refusals = {
    foreign: await owner.mutate('erasePerson', { personId: foreign?.personId, reason }),
    malformed: await owner.mutate('erasePerson', { personId: 'ten_x', reason }),
    kept: await owner.mutate('erasePerson', { personId: mine, reason, purposes: ['INVOICE'] }),
    twice: await owner.mutate('erasePerson', {
      ...{ personId: mine, reason, purposes: ['CONTACT', 'CONTACT'] },
    }),
  };
  expect(refusals).toMatchObject({
    foreign: { __typename: 'NotFound', path: ['input', 'personId'] },
    malformed: { __typename: 'ValidationFailed', path: ['input', 'personId'] },
    kept: { code: 'RETENTION_RUNS', message: expect.stringContaining('2036-04-10') },
    twice: { code: 'INVALID_INPUT', path: ['input', 'purposes'] },
  });
  await installation.host.settled();
  expect((await known(staff, seeded.customer.tenantId)).members[0]?.name).not.toBeNull();
});
