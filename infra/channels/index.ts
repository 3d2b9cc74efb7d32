export * from './port.ts';
export * from './websocket.ts';
