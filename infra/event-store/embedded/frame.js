/**
 * The layout of one row of the embedded log, a frame: everything the log knows of one event in one
 * run of bytes. Plain JavaScript, because the writer's worker and the main thread share it.
 *
 *   0  u32  length of the frame, this field included
 *   4  u32  sum of the frame before it in the log: the chain
 *   8  u48  position, from 1
 *  14  u48  revision, from 0
 *  20  u16  bytes of the envelope text
 *  22  u16  version of the body's schema
 *  24  the envelope text: its fields joined by NUL, the stream's name first
 *   -  the body
 *  -4  u32  sum: the CRC-32 of all before it, begun with RESIDUE
 *
 * All numbers are little-endian. A CRC-32 run over bytes and then over their own CRC always ends in
 * the same number, RESIDUE. As each sum begins with RESIDUE too, a whole page of frames laid end to
 * end ends in RESIDUE exactly if every frame is sound, so one native call checks a page. The sum is
 * against accidents (a flipped bit, a torn write), not against a forger.
 */
import { crc32 } from 'node:zlib';

/** What a CRC-32 ends in after its own value. */
export const RESIDUE = 0x2144df1c;
/** Bytes before the envelope text. */
export const HEADER = 24;
/** Bytes of a frame beside its envelope text and body. */
export const OVERHEAD = HEADER + 4;

/**
 * The number the chain of a log begins with, so that rows of another log do not fit.
 * @param {string} epoch of the log when it was created
 */
export function chainSeed(epoch) {
  return crc32(epoch);
}

/**
 * Gives a frame its place in the log and seals it. Answers its sum.
 * @param {Buffer} frame
 * @param {number} position
 * @param {number} before sum of the frame before it
 */
export function sealFrame(frame, position, before) {
  frame.writeUInt32LE(before, 4);
  frame.writeUIntLE(position, 8, 6);
  const end = frame.length - 4;
  const sum = crc32(frame.subarray(0, end), RESIDUE);
  frame.writeUInt32LE(sum, end);
  return sum;
}

/**
 * Whether every frame of a page of frames is sound.
 * @param {Uint8Array} page
 */
export function isSound(page) {
  return crc32(page, RESIDUE) === RESIDUE;
}

/**
 * The n-th field of a frame's envelope text (0 the stream, 1 the id).
 * @param {Buffer} frame
 * @param {number} n
 */
export function envelopeField(frame, n) {
  return frame.toString('utf8', HEADER, HEADER + frame.readUInt16LE(20)).split('\0')[n] ?? '';
}
