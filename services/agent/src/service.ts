/** The agent: what a host needs to run one beside a node. */
export { type Agent, type EndpointConnection, startAgent } from './agent.ts';
export { openNode, type OpenNodeOptions } from './node.ts';
export { parseDriverUrl } from './driver-config.ts';
export { readJournal } from './fence/journal-format.ts';
export type { Driver, InstalledPackage, NodeInventory } from './driver.ts';
export { DriverError } from './driver.ts';
