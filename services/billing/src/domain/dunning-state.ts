/** How far the debtor of each open invoice was reminded, folded from the account's events. */
import type { accountEvents, DunningStage } from '@bivouac/events/billing';
import type { EventOf } from '@bivouac/events/language';
import { minorUnits } from '@bivouac/events/values';

interface Reminded {
  stage: DunningStage | undefined;
  /** The account is held for it. */
  held: boolean;
}

export interface DunningState {
  paused: boolean;
  /** By invoice. */
  readonly reminded: Map<string, Reminded>;
}

export const dunningInitial = (): DunningState => ({ paused: false, reminded: new Map() });

export function evolveDunning(
  state: DunningState,
  event: EventOf<(typeof accountEvents)[number]>,
): void {
  switch (event.type) {
    case 'billing.DunningStageReached': {
      const { invoiceId, stage } = event.data;
      const held = state.reminded.get(invoiceId)?.held ?? false;
      state.reminded.set(invoiceId, { stage, held });
      return;
    }
    case 'billing.DunningHoldDue': {
      const { invoiceId, stage } = event.data;
      state.reminded.set(invoiceId, { stage, held: true });
      return;
    }
    case 'billing.DunningHoldClear': {
      const reminded = state.reminded.get(event.data.invoiceId);
      if (reminded !== undefined) reminded.held = false;
      return;
    }
    case 'billing.DunningPaused':
      state.paused = true;
      return;
    case 'billing.DunningResumed':
      state.paused = false;
      return;
    case 'billing.PaymentRecorded':
    case 'billing.CreditGranted':
    case 'billing.CreditNoteBooked':
      // One that is paid and then open again, by a reversal, is reminded of from the first stage.
      for (const { invoiceId, open } of event.data.settled) {
        const reminded = state.reminded.get(invoiceId);
        if (reminded !== undefined && minorUnits(open) === 0n) reminded.stage = undefined;
      }
      return;
    default:
  }
}
