export * from './account.ts';
export * from './dunning.ts';
export * from './invoices.ts';
export * from './items.ts';
export * from './ledger.ts';
export * from './plans.ts';
export * from './prices.ts';
export * from './runs.ts';
