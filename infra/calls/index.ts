export { callServices, type CallServicesOptions, type RemoteServices } from './client.ts';
export { IdentityError } from './errors.ts';
export { type Identity, openIdentity } from './identity.ts';
export { createIdentity, type NewIdentity } from './new-identity.ts';
export type { ReplicaState } from './replicas.ts';
export { routingKey } from './routing-key.ts';
export { type CallServer, serveCalls, type ServeCallsOptions } from './server.ts';
export { openTrustedCallers, type TrustedCallers, trustedCallers } from './trusted.ts';
export { type PrincipalKind, PrincipalKindSchema } from './wire.ts';
