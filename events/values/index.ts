export * from './address.ts';
export * from './ids.ts';
export * from './instant.ts';
export * from './int64.ts';
export * from './money.ts';
export * from './rational.ts';
export * from './vector.ts';
