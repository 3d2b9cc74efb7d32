export * from './account.ts';
export * from './invoices.ts';
export * from './page.ts';
export * from './plans.ts';
