export * from './addresses.ts';
export { busy, holderOf } from './asking.ts';
export * from './destroy.ts';
export * from './holds.ts';
export * from './make.ts';
export * from './reports.ts';
export * from './state.ts';
export * from './transitions.ts';
