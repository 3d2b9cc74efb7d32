export * from './messages.ts';
export * from './steps.ts';
