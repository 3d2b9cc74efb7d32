export * from './handshake.ts';
export * from './messages.ts';
export * from './package-report.ts';
export * from './steps.ts';
export * from './usage.ts';
