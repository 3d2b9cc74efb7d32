/**
 * A container's network: one routed NIC that holds all its addresses.
 *
 * Why not a bridged NIC with `security.ipv4_filtering`, seen on LXD 5.0.2: that filter takes one
 * address per NIC; a second NIC on the same managed bridge is refused ("Instance DNS name already
 * used on network"); the address must lie in the bridge's subnet; and the guest must ask DHCP for
 * it. A routed NIC takes several addresses of any range, and liblxc sets them in the guest at start
 * whatever the image is. Spoofing: LXD sets rp_filter=1 on the host's end and an nftables rule that
 * drops a source whose way back is not this NIC. There is no shared segment to snoop on.
 * The price: a change on a running container replaces the NIC, see {@link guestCommands}.
 */
import type { NetworkConfig } from '../../driver.ts';

/** The NIC's name, as device and inside. */
export const NIC = 'eth0';

/** What LXD's routed NIC answers to inside every container. */
const GATEWAY = { ipv4: '169.254.0.1', ipv6: 'fe80::1' } as const;

export type Device = Readonly<Record<string, string>>;

/** The NIC device. Without addresses it is LXD's device that is none: PATCH cannot take one away. */
export function nicOf({ addresses }: NetworkConfig, parent: string | undefined): Device {
  if (addresses.length === 0) return { type: 'none' };
  const of = (family: 'ipv4' | 'ipv6'): string =>
    addresses
      .filter((one) => one.family === family)
      .map((one) => one.address)
      .join(',');
  const [ipv4, ipv6] = [of('ipv4'), of('ipv6')];
  return {
    type: 'nic',
    nictype: 'routed',
    name: NIC,
    // With a parent LXD also answers ARP and NDP for the addresses there.
    ...(parent === undefined ? {} : { parent }),
    ...(ipv4 === '' ? {} : { 'ipv4.address': ipv4 }),
    ...(ipv6 === '' ? {} : { 'ipv6.address': ipv6 }),
  };
}

/** The addresses a NIC device may use. */
export function addressesOf(nic: Device | undefined): readonly string[] {
  const lists = [nic?.['ipv4.address'], nic?.['ipv6.address']];
  return lists.flatMap((list) => (list === undefined || list === '' ? [] : list.split(/, */)));
}

/** liblxc sets it at every start; LXD has no key of its own for it. */
export function hostnameConfig({ hostname }: NetworkConfig): string {
  return `lxc.uts.name = ${hostname}`;
}

/**
 * What to run in a running guest after its NIC was replaced: LXD plugs the new one in without
 * addresses, which liblxc sets only at start. Each is an argument array for LXD's exec.
 */
export function guestCommands({ addresses, hostname }: NetworkConfig): readonly string[][] {
  const families = new Set(addresses.map((one) => one.family));
  const commands: string[][] = [['hostname', hostname]];
  if (families.size === 0) return commands;
  commands.push(['ip', 'link', 'set', 'dev', NIC, 'up']);
  for (const { address, family } of addresses) {
    const host = family === 'ipv4' ? `${address}/32` : `${address}/128`;
    commands.push(['ip', `-${family.at(-1)}`, 'addr', 'add', host, 'dev', NIC]);
  }
  for (const family of families) {
    const to = ['ip', `-${family.at(-1)}`, 'route', 'add'];
    if (family === 'ipv4') commands.push([...to, GATEWAY.ipv4, 'dev', NIC, 'scope', 'link']);
    commands.push([...to, 'default', 'via', GATEWAY[family], 'dev', NIC]);
  }
  return commands;
}
