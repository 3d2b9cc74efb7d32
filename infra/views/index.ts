export * from './port.ts';
export * from './page.ts';
