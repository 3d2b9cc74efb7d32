export { checkpointEvents, CheckpointRecorded } from './checkpoint-events.ts';
export { type Behind, CarriedCheckpoints } from './carried.ts';
export { seeToParkedHomes } from './orders.ts';
export { whenHadChance } from './chance.ts';
export { whileHeld } from './held.ts';
export * from './reaction.ts';
export { startReactions } from './reactions.ts';
