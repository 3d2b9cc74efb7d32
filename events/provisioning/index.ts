import { childEvents } from './children.ts';
import { workflowEvents } from './operation.ts';
import { staffEvents } from './staff.ts';

export * from './children.ts';
export * from './operation.ts';
export * from './order.ts';
export * from './staff.ts';

/** All of an operation's own stream but its asks. */
export const operationEvents = [...workflowEvents, ...childEvents, ...staffEvents] as const;
