/** The schema: every context's types on the one builder, built once. */
import './language/scalars.ts';
import './language/node.ts';
import './errors/types.ts';
import './accounts/account.ts';
import './accounts/access.ts';
import './accounts/person.ts';
import './audit/parked-homes.ts';
import './audit/trail.ts';
import './accounts/viewer-can.ts';
import './containers/container.ts';
import './containers/viewer-can.ts';
import './containers/image.ts';
import './containers/hardware-node.ts';
import './containers/address-range.ts';
import './containers/reconciling.ts';
import './billing/plan.ts';
import './billing/invoice.ts';
import './billing/viewer-can.ts';
import './billing/credit-note.ts';
import './billing/payment.ts';
import './billing/charges.ts';
import './billing/account-books.ts';
import './billing/journal.ts';
import './packages/package.ts';
import './packages/repository.ts';
import './packages/changes.ts';
import './packages/with-package.ts';
import './quotas/quota.ts';
import './quotas/reservation.ts';
import './quotas/usage.ts';
import './provisioning/operation.ts';
import './provisioning/operation-lists.ts';
import './accounts/mutations.ts';
import './accounts/person-mutations.ts';
import './accounts/people-mutations.ts';
import './accounts/key-mutations.ts';
import './containers/mutations.ts';
import './containers/image-mutations.ts';
import './containers/node-identity.ts';
import './containers/platform-mutations.ts';
import './billing/mutations.ts';
import './billing/charging-mutations.ts';
import './billing/money-mutations.ts';
import './billing/issuer-mutations.ts';
import './packages/mutations.ts';
import './packages/repository-mutations.ts';
import './packages/orders.ts';
import './quotas/mutations.ts';
import './provisioning/mutations.ts';
import './provisioning/repair.ts';
import './live/fields.ts';

import { assertValidSchema } from 'graphql';

import { builder } from './language/builder.ts';

export const schema = builder.toSchema();

// At start-up, not with the first request.
assertValidSchema(schema);
