export * from './account.ts';
export * from './invoices.ts';
export * from './plans.ts';
