/**
 * What billing's own reactions call on an account and a series. Each is idempotent by the natural id
 * of its subject: a container, an address with its cause, a month, an invoice.
 */
import {
  CauseSchema,
  ChargedAddressSchema,
  creditNoteShape,
  DunningStageSchema,
  invoiceShape,
  ZoneSchema,
} from '@bivouac/events/billing';
import { command } from '@bivouac/events/language';
import {
  AskRefSchema,
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

/** Once per container and restoration. */
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
    /** Which of the container's subscriptions; absent: its tenant's first. */
    key: z
      .strictObject({ of: idOf('tenant').optional(), restoredBy: z.uuid().optional() })
      .optional(),
  }),
  result: nothing,
});

/** Once per cause; what has ended stays as it is. Refusal: SUBSCRIPTION_UNKNOWN. */
export const ChangePlan = command({
  name: 'billing.ChangePlan',
  access: 'internal',
  input: z.strictObject({ accountId, containerId, terms: PlanTermsSchema, cause: CauseSchema }),
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

const removal = z.strictObject({
  accountId,
  containerId,
  leaseIds: z.array(idOf('lease')).max(96),
  cause: CauseSchema,
});

/** Of leases that are not charged: nothing happens. */
export const RemoveAddresses = command({
  name: 'billing.RemoveAddresses',
  access: 'internal',
  input: removal,
  result: nothing,
});

/** The same where their attaching was undone: they are charged for no day. */
export const UndoAddresses = command({
  name: 'billing.UndoAddresses',
  access: 'internal',
  input: removal,
  result: nothing,
});

/** Refusal: SUBSCRIPTION_UNKNOWN. */
export const EndSubscription = command({
  name: 'billing.EndSubscription',
  access: 'internal',
  input: z.strictObject({ accountId, containerId, cause: CauseSchema }),
  result: nothing,
});

/** The order was undone: nothing of the container is charged. Once. Refusal: SUBSCRIPTION_UNKNOWN. */
export const VoidSubscriptions = command({
  name: 'billing.VoidSubscriptions',
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

/** Once per ask. Refusals: SUBSCRIPTION_UNKNOWN, PERIOD_ENDS_LATER. */
export const AwaitPeriodEnd = command({
  name: 'billing.AwaitPeriodEnd',
  access: 'internal',
  input: z.strictObject({
    accountId,
    containerId,
    ref: AskRefSchema,
    askedAt: InstantSchema,
    notAfter: InstantSchema,
  }),
  result: nothing,
});

/** The timer of {@link AwaitPeriodEnd}. */
export const EndPeriodWait = command({
  name: 'billing.EndPeriodWait',
  access: 'internal',
  input: z.strictObject({ accountId, ref: AskRefSchema, notAfter: InstantSchema }),
  result: nothing,
});

/** The timer of an open invoice. Paid, void, paused or not due: nothing happens. */
export const AdvanceDunning = command({
  name: 'billing.AdvanceDunning',
  access: 'internal',
  input: z.strictObject({ accountId, invoiceId: idOf('invoice'), stage: DunningStageSchema }),
  result: nothing,
});

const { number, dueAt, ...unnumbered } = invoiceShape;

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
    dueAt,
    accountId,
    issued: SourceSchema,
    issuedAt: InstantSchema,
  }),
  result: nothing,
});

const { number: noteNumber, ...unnumberedNote } = creditNoteShape;

/** Takes the next number of the credit series; of a note that has one: nothing happens. */
export const IssueCreditNote = command({
  name: 'billing.IssueCreditNote',
  access: 'internal',
  input: z.strictObject({
    ...unnumberedNote,
    issuerHomeId: idOf('tenant'),
    accountId,
    accountHomeId: homeId,
  }),
  result: nothing,
});

/** Once per note. Refusals: INVOICE_UNKNOWN, INVOICE_DIFFERS. */
export const BookCreditNote = command({
  name: 'billing.BookCreditNote',
  access: 'internal',
  input: z.strictObject({
    ...unnumberedNote,
    number: noteNumber,
    accountId,
    issued: SourceSchema,
    issuedAt: InstantSchema,
  }),
  result: nothing,
});
