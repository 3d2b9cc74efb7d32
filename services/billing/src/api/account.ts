/**
 * What billing's own reactions call on an account and a series. Each is idempotent by the natural id
 * of its subject: a container, an address with its cause, a month, an invoice.
 */
import {
  CauseSchema,
  ChargedAddressSchema,
  invoiceShape,
  ZoneSchema,
} from '@bivouac/events/billing';
import { command } from '@bivouac/events/language';
import {
  HostnameSchema,
  MonthSchema,
  PlanTermsSchema,
  SourceSchema,
} from '@bivouac/events/operations';
import { idOf, InstantSchema } from '@bivouac/events/values';
import { z } from 'zod';

const accountId = idOf('tenant');
const homeId = idOf('tenant');
const containerId = idOf('container');
const nothing = z.strictObject({});

/** Says who invoices the account. */
export const OpenAccount = command({
  name: 'billing.OpenAccount',
  access: 'internal',
  input: z.strictObject({
    accountId,
    homeId,
    issuerId: idOf('tenant'),
    issuerHomeId: idOf('tenant'),
  }),
  result: nothing,
});

/** Once per container. */
export const StartSubscription = command({
  name: 'billing.StartSubscription',
  access: 'internal',
  input: z.strictObject({
    accountId,
    homeId,
    containerId,
    hostname: HostnameSchema,
    terms: PlanTermsSchema,
    zone: ZoneSchema,
    addresses: z.array(ChargedAddressSchema).max(96),
    cause: CauseSchema,
  }),
  result: nothing,
});

/** Refusals: SUBSCRIPTION_UNKNOWN, SUBSCRIPTION_ENDED. */
export const AddAddresses = command({
  name: 'billing.AddAddresses',
  access: 'internal',
  input: z.strictObject({
    accountId,
    containerId,
    addresses: z.array(ChargedAddressSchema).min(1).max(96),
    cause: CauseSchema,
  }),
  result: nothing,
});

/** Of leases that are not charged: nothing happens. */
export const RemoveAddresses = command({
  name: 'billing.RemoveAddresses',
  access: 'internal',
  input: z.strictObject({
    accountId,
    containerId,
    leaseIds: z.array(idOf('lease')).max(96),
    cause: CauseSchema,
  }),
  result: nothing,
});

/** Refusal: SUBSCRIPTION_UNKNOWN. */
export const EndSubscription = command({
  name: 'billing.EndSubscription',
  access: 'internal',
  input: z.strictObject({ accountId, containerId, cause: CauseSchema }),
  result: nothing,
});

/**
 * Rates the month for good. Refusals: PERIOD_NOT_OVER, CURRENCIES_DIFFER, ACCOUNT_UNKNOWN. A month
 * that is closed stays as it is.
 */
export const CloseMonth = command({
  name: 'billing.CloseMonth',
  access: 'internal',
  input: z.strictObject({ accountId, month: MonthSchema }),
  result: nothing,
});

const { number, ...unnumbered } = invoiceShape;

/** Takes the next number of the series; of an invoice that has one: nothing happens. */
export const IssueInvoice = command({
  name: 'billing.IssueInvoice',
  access: 'internal',
  input: z.strictObject({
    ...unnumbered,
    issuerHomeId: idOf('tenant'),
    accountId,
    accountHomeId: homeId,
  }),
  result: nothing,
});

/** Once per invoice. Refusals: ACCOUNT_UNKNOWN, MONTH_NOT_CLOSED, INVOICE_DIFFERS. */
export const BookInvoice = command({
  name: 'billing.BookInvoice',
  access: 'internal',
  input: z.strictObject({
    ...unnumbered,
    number,
    accountId,
    issued: SourceSchema,
    issuedAt: InstantSchema,
  }),
  result: nothing,
});
