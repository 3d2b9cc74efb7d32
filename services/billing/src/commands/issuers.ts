/** Commands on an issuer's own streams: its number series, its terms, its price list. */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { handler } from '@bivouac/infra/runtime';

import { credits, plan, prices, series } from '../aggregates.ts';
import {
  IssueCreditNote,
  IssueInvoice,
  SetPaymentTerm,
  SetPrice,
  WithdrawPrice,
} from '../api/index.ts';
import { planIdOf, planStream } from '../domain/plan.ts';
import { pricesStream, providerHasCatalog, setPrice, withdrawPrice } from '../domain/prices.ts';
import {
  creditsStream,
  issueCreditNote,
  issueInvoice,
  seriesStream,
  setPaymentTerm,
} from '../domain/series.ts';

const ofIssuer = (input: { readonly issuerId: string; readonly issuerHomeId: string }) => ({
  tenantId: input.issuerId,
  homeId: input.issuerHomeId,
});

export const issuerCommands = [
  handler(IssueInvoice, series, {
    stream: ({ issuerId }) => seriesStream(issuerId),
    owner: ofIssuer,
    decide: issueInvoice,
    result: () => ({}),
  }),
  handler(SetPaymentTerm, series, {
    stream: ({ issuerId }) => seriesStream(issuerId),
    owner: ofIssuer,
    decide: setPaymentTerm,
    result: (_events, { issuerId }) => ({ issuerId }),
  }),
  handler(IssueCreditNote, credits, {
    stream: ({ issuerId }) => creditsStream(issuerId),
    owner: ofIssuer,
    decide: issueCreditNote,
    result: () => ({}),
  }),
  handler(SetPrice, prices, {
    stream: ({ issuerId }) => pricesStream(issuerId),
    owner: ofIssuer,
    prepare: async (input, _ports, { load }) => {
      const planId = planIdOf(input.planCode);
      const { state } = await load(plan, planStream(planId));
      const offered = state.plan?.retired === true ? undefined : state.plan;
      const currency = offered?.versions.at(-1)?.terms.monthly.currency;
      return { input: { ...input, planId, currency } };
    },
    decide: (state, input, context) =>
      input.issuerId === PROVIDER_ID ? providerHasCatalog() : setPrice(state, input, context),
    result: (_events, { issuerId, planCode }) => ({ issuerId, planId: planIdOf(planCode) }),
  }),
  handler(WithdrawPrice, prices, {
    stream: ({ issuerId }) => pricesStream(issuerId),
    owner: ofIssuer,
    decide: (state, { issuerId, planCode }, context) =>
      withdrawPrice(state, { issuerId, planId: planIdOf(planCode) }, context),
    result: (_events, { issuerId, planCode }) => ({ issuerId, planId: planIdOf(planCode) }),
  }),
];
