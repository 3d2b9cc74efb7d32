export { checkpointEvents, CheckpointRecorded } from './checkpoint-events.ts';
export { replayAfterStart } from './mended.ts';
export { whenHadChance } from './chance.ts';
export * from './reaction.ts';
export { startReactions } from './reactions.ts';
