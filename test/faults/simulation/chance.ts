/**
 * Everything that is random in a simulation comes from its seed, also what the services take from the
 * machine: ids, nonces, jitter, the time of day. Held for one run at a time in a process of its own.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

import { Draws } from '@bivouac/all/draws';

let draws = new Draws(0, 'machine');
let now: () => number = () => 0;

/** From here on the machine's randomness is this seed's, and its time the given one. */
export function machineOf(seed: number, time: () => number): void {
  draws = new Draws(seed, 'machine');
  now = time;
}

function bytes(size: number): Buffer {
  const drawn = Buffer.alloc(size);
  for (let i = 0; i < size; i++) drawn[i] = draws.between(0, 255);
  return drawn;
}

function uuid(): `${string}-${string}-${string}-${string}-${string}` {
  const hex = bytes(16).toString('hex');
  const part = (from: number, to: number): string => hex.slice(from, to);
  return `${part(0, 8)}-${part(8, 12)}-4${part(13, 16)}-8${part(17, 20)}-${part(20, 32)}`;
}

/** Puts the seed in the place of the machine, for the rest of this process. */
export function takeOverMachine(): void {
  Math.random = () => draws.unit();
  Date.now = () => now();
  Object.defineProperty(globalThis.crypto, 'randomUUID', { value: uuid });
  Object.assign(crypto, { randomUUID: uuid, randomBytes: bytes });
  syncBuiltinESMExports();
}
