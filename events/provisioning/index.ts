export * from './operation.ts';
export * from './order.ts';
