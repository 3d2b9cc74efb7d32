/** Why a node's stream says no. */
import { refuse } from '@bivouac/events/language';

/** The refusal of a placement that was given back before it was made. */
export function placementVoided(placementId: string): ReturnType<typeof refuse> {
  return refuse(
    'PLACEMENT_VOIDED',
    `The placement ${placementId} was given back before it was made; ask for a new one.`,
  );
}

export function placementNotHere(nodeId: string, placementId: string): ReturnType<typeof refuse> {
  return refuse('PLACEMENT_NOT_HERE', `The placement ${placementId} is not on node ${nodeId}.`);
}

/** The refusal of a claim on a resize that has come to nothing. */
export function resizeVoided(claim: string): ReturnType<typeof refuse> {
  return refuse('RESIZE_VOIDED', `The resize ${claim} was given up before; ask for a new one.`);
}

export function unknownNode(nodeId: string): ReturnType<typeof refuse> {
  return refuse('NODE_UNKNOWN', `There is no node ${nodeId}; register it first.`, {
    path: ['input', 'nodeId'],
  });
}
