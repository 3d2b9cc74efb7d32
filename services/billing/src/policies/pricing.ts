/** What a plan costs a tenant: the catalog's price, or that of the nearest above it that has its own. */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import type { PlanTerms } from '@bivouac/events/operations';
import { RuntimeError, type PolicyContext } from '@bivouac/infra/runtime';

import { account, plan, prices } from '../aggregates.ts';
import { accountStream } from '../domain/account.ts';
import { quotedAt, termsOf, type Version } from '../domain/plan.ts';
import { pricedBy, pricesStream } from '../domain/prices.ts';

/**
 * The accounts charged for a tenant's container: its own, by whoever invoices it, and so on upwards to
 * the one that the provider invoices.
 */
export async function debtorsOf(tenantId: string, context: PolicyContext): Promise<string[]> {
  const debtors = [tenantId];
  for (let above = await issuerOf(tenantId, context); above !== undefined;) {
    debtors.push(above);
    above = await issuerOf(above, context);
  }
  return debtors;
}

/**
 * The catalog's terms as an account is charged them: at the prices of the nearest issuer above it that
 * has its own for the plan at that time.
 */
export async function chargedTo(
  accountId: string,
  terms: PlanTerms,
  at: string,
  context: PolicyContext,
): Promise<PlanTerms> {
  for (
    let issuerId = await issuerOf(accountId, context);
    issuerId !== undefined;
    issuerId = await issuerOf(issuerId, context)
  ) {
    const { exists, state } = await context.load(prices, pricesStream(issuerId));
    const own = exists ? pricedBy(state, issuerId, terms, at) : undefined;
    if (own !== undefined) return own;
  }
  return terms;
}

/** The catalog's own terms at the version that was quoted, and its calendar. */
export async function catalogTerms(
  quoted: PlanTerms,
  context: PolicyContext,
): Promise<{ readonly terms: PlanTerms; readonly zone: string }> {
  const { stream, revision } = quoted.source;
  const found = await context.read(plan, stream, (state) => {
    const version = quotedAt(state, BigInt(revision));
    return state.plan === undefined || version === undefined
      ? undefined
      : copied(state.plan, version);
  });
  if (found === undefined) {
    throw new RuntimeError('defect', `${stream} has no terms at revision ${revision}`);
  }
  return found;
}

function copied(of: { readonly planId: string; readonly code: string }, version: Version) {
  return structuredClone({ terms: termsOf(of, version), zone: version.terms.zone });
}

/** Who invoices an account; undefined where that is the provider, or nobody is known to. */
async function issuerOf(accountId: string, context: PolicyContext): Promise<string | undefined> {
  const id = await context.read(account, accountStream(accountId), (state) => state.issuer?.id);
  return id === PROVIDER_ID ? undefined : id;
}
