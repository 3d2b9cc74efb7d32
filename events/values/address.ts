/** IP addresses and prefixes, parsed once at the border; IPv4 and IPv6 alike. */
import ipaddr from 'ipaddr.js';
import { z } from 'zod';

export const FamilySchema = z.enum(['ipv4', 'ipv6']);
export type Family = z.output<typeof FamilySchema>;

/** An address in its canonical text form (RFC 5952 for IPv6). */
export const AddressSchema = z
  .string()
  .refine((text) => ipaddr.isValid(text) && canonical(text) === text, {
    error: 'expected an IP address in canonical form, e.g. 192.0.2.10 or 2001:db8::1',
  });

/** A prefix whose host bits are zero, e.g. `192.0.2.0/24`. */
export const CidrSchema = z.string().refine(isCidr, {
  error: 'expected a prefix whose host bits are zero, e.g. 192.0.2.0/24',
});

export interface Cidr {
  readonly family: Family;
  /** The first address as a number. */
  readonly first: bigint;
  /** How many addresses it has. */
  readonly size: bigint;
  readonly prefix: number;
}

/** Parses a prefix that {@link CidrSchema} accepts. */
export function parseCidr(text: string): Cidr {
  const [address, bits] = ipaddr.parseCIDR(text);
  const family: Family = address.kind();
  const width = family === 'ipv4' ? 32 : 128;
  return { family, first: numberOf(address), size: 1n << BigInt(width - bits), prefix: bits };
}

/** The address that stands `offset` places after the first of the prefix. */
export function addressAt(cidr: Cidr, offset: bigint): string {
  if (offset < 0n || offset >= cidr.size)
    throw new RangeError(`offset ${offset} is outside the prefix`);
  const width = cidr.family === 'ipv4' ? 4 : 16;
  const bytes: number[] = [];
  let rest = cidr.first + offset;
  for (let i = 0; i < width; i++) {
    bytes.unshift(Number(rest & 255n));
    rest >>= 8n;
  }
  return ipaddr.fromByteArray(bytes).toString();
}

/** Where an address stands in the prefix, or undefined where it does not. */
export function offsetIn(cidr: Cidr, address: string): bigint | undefined {
  const parsed = ipaddr.parse(address);
  if (parsed.kind() !== cidr.family) return undefined;
  const offset = numberOf(parsed) - cidr.first;
  return offset >= 0n && offset < cidr.size ? offset : undefined;
}

function canonical(text: string): string {
  return ipaddr.parse(text).toString();
}

function isCidr(text: string): boolean {
  if (!ipaddr.isValidCIDR(text)) return false;
  const [address, bits] = ipaddr.parseCIDR(text);
  const width = address.kind() === 'ipv4' ? 32n : 128n;
  return (
    numberOf(address) % (1n << (width - BigInt(bits))) === 0n &&
    text.startsWith(`${address.toString()}/`)
  );
}

function numberOf(address: ipaddr.IPv4 | ipaddr.IPv6): bigint {
  return address.toByteArray().reduce((n, byte) => (n << 8n) | BigInt(byte), 0n);
}
