/** How long what is sealed for a purpose is kept once its person asks for erasure. */
import { RetentionSet, type RetainedPurpose, type retentionEvents } from '@bivouac/events/accounts';
import { accept, type Decision, type EventOf, type Purpose } from '@bivouac/events/language';

export function retentionStream(providerId: string): string {
  return `retention-${providerId}`;
}

/** In years. A contact is kept for nobody's sake but the person's own. */
export type Retention = Readonly<Record<Purpose, number>>;

/**
 * Until the staff say otherwise: ten years for invoices, the longest that commercial and tax law of
 * the EU's states commonly asks for; one for the audit trail, as PCI DSS 10.5.1 has it.
 */
export const usualRetention: Retention = { contact: 0, invoice: 10, audit: 1 };

export interface RetentionState {
  readonly years: Record<Purpose, number>;
}

export function retentionUnset(): RetentionState {
  return { years: { ...usualRetention } };
}

export function evolveRetention(
  state: RetentionState,
  { data }: EventOf<(typeof retentionEvents)[number]>,
): RetentionState {
  state.years[data.purpose] = data.years;
  return state;
}

/** The same again changes nothing. */
export function setRetention(
  state: RetentionState,
  { purpose, years }: { readonly purpose: RetainedPurpose; readonly years: number },
): Decision {
  return state.years[purpose] === years ? accept() : accept(RetentionSet({ purpose, years }));
}
