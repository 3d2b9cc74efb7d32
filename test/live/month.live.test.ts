/**
 * A month in the life, small: a dozen customers under three resellers on nodes that fail, stopped and
 * started again and again. Whatever happened, everything that must be so is, and the invoices are
 * what a second opinion comes to. `npm run demo -- --month --small --seed N` plays one.
 */
import { afterAll, expect, test } from '@jest/globals';
import { type MonthReport, runMonth, smallMonth } from '@bivouac/all';

import { disposeKinds, kindWith } from '../e2e/kinds.ts';

afterAll(disposeKinds);

const SEED = 3;

/** What a month is only a month with; else the invariants would hold of nothing. */
const happened = [
  'accounts.ApiKeyRotated',
  'accounts.ErasureScheduled',
  'accounts.InvitationAccepted',
  'accounts.InvitationWithdrawn',
  'accounts.MemberRemoved',
  'accounts.MemberRoleChanged',
  'accounts.PersonErased',
  'accounts.TenantHoldLifted',
  'billing.AddOnAttached',
  'billing.AddOnCancelled',
  'billing.CreditGranted',
  'billing.CreditNoteBooked',
  'billing.DunningHoldClear',
  'billing.DunningHoldDue',
  'billing.FeeCharged',
  'billing.InvoiceBooked',
  'billing.PaymentRecorded',
  'billing.PaymentReversed',
  'billing.PeriodEndReached',
  'billing.PlanChanged',
  'billing.PriceSet',
  'billing.PriceWithdrawn',
  'billing.TermsRenewed',
  'containers.AddressesAttached',
  'containers.AddressesDetached',
  'containers.ContainerDeleted',
  'containers.ContainerRestored',
  'containers.ContainerSoftDeleted',
  'containers.HoldLifted',
  'containers.HoldPlaced',
  'containers.NodeLabelled',
  'containers.PowerRequested',
  'packages.RepositorySnapshotRecorded',
  'quotas.Transferred',
];

test('a month leaves everything as it must be, and nothing when everybody has moved out', async () => {
  const report: MonthReport = await runMonth(kindWith({}), SEED, smallMonth, () => undefined);
  // With the seed, so that what failed can be played again.
  expect({ seed: report.seed, violations: report.violations }).toEqual({
    ...{ seed: SEED, violations: [] },
  });
  expect(Object.keys(report.invariants)).toHaveLength(24);
  expect(Object.values(report.invariants)).toEqual(Array(24).fill(true));
  expect(report.invoices.mismatches).toEqual([]);
  expect(report.invoices.count).toBeGreaterThan(20);
  expect(Object.keys(report.invoices.totals)).toHaveLength(4);

  expect(happened.filter((type) => report.counts[type] === undefined)).toEqual([]);
  expect(report.starts).toBeGreaterThan(6);
  expect(report.operations['provision succeeded']).toBeGreaterThan(20);
  expect(report.operations['provision failed']).toBeGreaterThan(0);
  expect(report.operations['packages succeeded']).toBeGreaterThan(0);
  expect(report.operations['terminate succeeded']).toBeGreaterThan(20);
}, 300_000);
