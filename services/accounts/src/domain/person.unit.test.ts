// A person's erasure: what may be at once, what must be kept, and that nothing is erased twice.
import { describe, expect, test } from '@jest/globals';
import { ErasureScheduled, PersonErased } from '@bivouac/events/accounts';
import { type Decided, type Purpose, PurposeSchema } from '@bivouac/events/language';
import fc from 'fast-check';

import { person as aggregate } from '../aggregates.ts';
import { context, given, home, now, outcome, person } from '../given.ts';
import { erasePerson, eraseRetained, personStream } from './person.ts';

const facts = { personId: person, tenantId: home, homeId: home };
const reason = 'no-longer-needed' as const;
const retention = { contact: 0, invoice: 10, audit: 1 };
const wish = { ...facts, purposes: undefined, reason, retention, known: true, mayErase: true };
const afterOne = '2027-04-10T09:00:00.000Z';
const afterTen = '2036-04-10T09:00:00.000Z';
const contactErased = PersonErased({ ...facts, purposes: ['contact'], reason });
const scheduled = ErasureScheduled({
  ...facts,
  retained: [
    { purpose: 'invoice', until: afterTen },
    { purpose: 'audit', until: afterOne },
  ],
  reason,
});

function at(time: string) {
  return { ...context(personStream(person)), now: time };
}

describe('erasing a person', () => {
  test('erases what need not be kept, and schedules the rest', () => {
    expect(outcome(erasePerson(given(aggregate), wish, at(now)))).toEqual([
      contactErased,
      scheduled,
    ]);
  });

  test('again changes nothing, for ever, and moves no date', () => {
    const state = given(aggregate, contactErased, scheduled);
    expect(outcome(erasePerson(state, wish, at(now)))).toEqual([]);
    expect(outcome(erasePerson(state, wish, at('2027-04-10T08:59:59.999Z')))).toEqual([]);
  });

  test('of purposes that are named does all of them or nothing', () => {
    const both: readonly Purpose[] = ['contact', 'invoice'];
    expect(outcome(erasePerson(given(aggregate), { ...wish, purposes: both }, at(now)))).toEqual({
      code: 'RETENTION_RUNS',
      message: expect.stringContaining(`invoice until ${afterTen}`),
      path: ['purposes'],
      details: { until: { invoice: afterTen } },
    });
    const contact = { ...wish, purposes: ['contact'] as const };
    expect(outcome(erasePerson(given(aggregate), contact, at(now)))).toEqual([contactErased]);
  });

  test.each([
    ['of whom the tenant has not', { known: false, mayErase: false }, 'PERSON_UNKNOWN'],
    ['by who may not', { mayErase: false }, 'NOT_ALLOWED'],
  ])('is refused %s', (_what, change, code) => {
    expect(outcome(erasePerson(given(aggregate), { ...wish, ...change }, at(now)))).toMatchObject({
      code,
      path: ['personId'],
    });
  });

  test('on 29 February keeps until 1 March where there is none', () => {
    const leap = at('2028-02-29T12:00:00.000Z');
    expect(outcome(erasePerson(given(aggregate), wish, leap))).toMatchObject([
      {},
      {
        data: {
          retained: [
            { purpose: 'invoice', until: '2038-03-01T12:00:00.000Z' },
            { purpose: 'audit', until: '2029-03-01T12:00:00.000Z' },
          ],
        },
      },
    ]);
  });
});

describe('what had to be kept', () => {
  test('is erased on the day, not before, once', () => {
    const state = given(aggregate, contactErased, scheduled);
    const invoice = { purpose: 'invoice' as const };
    expect(outcome(eraseRetained(state, invoice, at('2036-04-10T08:59:59.999Z')))).toMatchObject({
      code: 'RETENTION_RUNS',
      details: { until: { invoice: afterTen } },
    });
    const erased = PersonErased({ ...facts, purposes: ['invoice'], reason });
    expect(outcome(eraseRetained(state, invoice, at(afterTen)))).toEqual([erased]);
    const ended = given(aggregate, contactErased, scheduled, erased);
    expect(outcome(eraseRetained(ended, invoice, at(afterTen)))).toEqual([]);
  });

  test('of nobody who was to be erased stays', () => {
    expect(outcome(eraseRetained(given(aggregate), { purpose: 'audit' }, at(afterTen)))).toEqual(
      [],
    );
  });
});

test('however often, whenever and for whatever it is asked: no purpose is erased twice or too early, and in the end all are', () => {
  const purposes = fc.option(fc.subarray([...PurposeSchema.options], { minLength: 1 }), {
    nil: undefined,
  });
  const years = fc.record({
    contact: fc.constant(0),
    invoice: fc.nat(12),
    audit: fc.nat(3),
  });
  const steps = fc.array(fc.record({ purposes, retention: years, days: fc.nat(2000) }), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(steps, (asked) => {
      const log: Decided[] = [];
      const erased = new Set<Purpose>();
      const promised = new Map<Purpose, string>();
      let time = Date.parse(now);
      const take = (events: readonly Decided[]): void => {
        const today = new Date(time).toISOString();
        for (const event of events) {
          log.push(event);
          const data = event.data as ReturnType<typeof PersonErased>['data'] &
            ReturnType<typeof ErasureScheduled>['data'];
          for (const purpose of event.type === PersonErased.type ? data.purposes : []) {
            expect(erased.has(purpose)).toBe(false);
            const until = promised.get(purpose);
            if (until !== undefined) expect(until <= today).toBe(true);
            erased.add(purpose);
          }
          for (const { purpose, until } of event.type === ErasureScheduled.type
            ? data.retained
            : []) {
            expect(promised.has(purpose) || erased.has(purpose)).toBe(false);
            promised.set(purpose, until);
          }
        }
      };
      for (const one of [...asked, { purposes: undefined, retention, days: 0 }]) {
        time += one.days * 86_400_000;
        const decided = outcome(
          erasePerson(
            given(aggregate, ...log),
            { ...wish, purposes: one.purposes, retention: one.retention },
            at(new Date(time).toISOString()),
          ),
        );
        if (Array.isArray(decided)) take(decided);
      }
      time += 20 * 366 * 86_400_000;
      for (const purpose of promised.keys()) {
        const later = at(new Date(time).toISOString());
        const decided = outcome(eraseRetained(given(aggregate, ...log), { purpose }, later));
        if (Array.isArray(decided)) take(decided);
      }
      expect([...erased].sort()).toEqual([...PurposeSchema.options].sort());
    }),
  );
});
