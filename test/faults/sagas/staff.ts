/** Whoever does what has no person behind it. */
import { PROVIDER_ID } from '@bivouac/events/accounts';
import { systemPrincipal } from '@bivouac/infra/runtime';

export const provider = { tenantId: PROVIDER_ID, homeId: PROVIDER_ID };
export const staff = systemPrincipal('system:sagas', PROVIDER_ID, PROVIDER_ID);
