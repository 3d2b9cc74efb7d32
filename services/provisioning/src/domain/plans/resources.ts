/** The ids and amounts of what an operation takes; ids derive from the attempt, so none is used twice. */
import type { PlanTerms } from '@bivouac/events/operations';
import { deriveId, type ResourceVector } from '@bivouac/events/values';

export function reservationIdOf(operationId: string, attempt: number): string {
  return deriveId('reservation', operationId, 'reserve', String(attempt));
}

export function leaseIdsOf(operationId: string, attempt: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    deriveId('lease', operationId, String(attempt), String(i)),
  );
}

/** What a container of a plan takes of its account's quota. */
export function containerVector(limits: PlanTerms['limits'], addresses: number): ResourceVector {
  return {
    containers: 1,
    cpuMillis: limits.cpuMillis,
    memoryBytes: limits.memoryBytes,
    diskBytes: limits.diskBytes,
    addresses,
  };
}

/** What addresses alone take. */
export function addressVector(addresses: number): ResourceVector {
  return { containers: 0, cpuMillis: 0, memoryBytes: '0', diskBytes: '0', addresses };
}
