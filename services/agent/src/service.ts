/** The agent: what a host needs to run one beside a node. */
export { type Agent, type AgentOptions, startAgent } from './agent.ts';
export { NotAdmitted } from './connection.ts';
export { type Carrier, type Dial, enteringAs } from './entering.ts';
export { type AgentIdentity, IdentityError, openIdentity } from './identity.ts';
export { dialing } from './socket.ts';
export { type Metering, startMetering } from './metering/metering.ts';
export { openNode, type OpenedNode, type OpenNodeOptions } from './node.ts';
export { parseDriverUrl } from './driver-config.ts';
export { readJournal } from './fence/journal-format.ts';
export type { Driver, InstalledPackage, NodeInventory } from './driver.ts';
export { DriverError } from './driver.ts';
