/**
 * The operation aggregate: a workflow over several contexts. Decisions record answers and staff's
 * acts and ask for what comes next; what each kind asks for is in `../plans`.
 */
export * from './answers.ts';
export * from './children.ts';
export { DELAYS } from './delays.ts';
export * from './leftovers.ts';
export * from './orders.ts';
export * from './overdue.ts';
export * from './resume.ts';
export * from './staff.ts';
export {
  evolve,
  initial,
  isEnded,
  isUndo,
  type OperationEvent,
  type OperationState,
  streamEvents,
} from './state.ts';
