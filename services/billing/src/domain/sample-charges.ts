/** Charges for tests: an account, plans, containers and the events that charge for them. */
import { AccountOpened, type accountEvents, type Cause } from '@bivouac/events/billing';
import type { Decided, Decision, EventOf, Recorded } from '@bivouac/events/language';
import type { PlanTerms } from '@bivouac/events/operations';
import { deriveId, uuidOf } from '@bivouac/events/values';

import { accountInitial, accountStream, evolveAccount, type AccountState } from './account.ts';
import {
  addAddresses,
  changePlan,
  endSubscription,
  removeAddresses,
  startSubscription,
} from './charges.ts';
import { undoAddresses, voidSubscriptions } from './undone.ts';

export const accountId = deriveId('tenant', 'customer');
const homeId = accountId;
export const issuerId = deriveId('tenant', 'provider');

export const eur = (amount: string) => ({ amount, currency: 'EUR' });

export const containerId = (name: string): string => deriveId('container', name);
export const address = (name: string) => ({ leaseId: deriveId('lease', name), address: name });

export function sampleTerms(more: Partial<PlanTerms> = {}): PlanTerms {
  const planId = deriveId('plan', '1000');
  return {
    planId,
    code: '1000',
    name: 'VPS 1000',
    source: { stream: `plan-${planId}`, revision: '0' },
    limits: {
      cpuMillis: 1000,
      memoryBytes: '1073741824',
      diskBytes: '10737418240',
      processes: 512,
      cpuUnits: 1000,
    },
    includedAddresses: 1,
    monthly: eur('20.00'),
    setup: eur('10.00'),
    extraAddressMonthly: eur('2.00'),
    ...more,
  };
}

/** A cause at a time; the same name is the same event. */
export function causeAt(time: string, name: string, container = 'web1'): Cause {
  return {
    eventId: uuidOf(container, name),
    type: `containers.${name}`,
    stream: `container-${containerId(container)}`,
    revision: '1',
    time,
  };
}

/** The sample's other plans: 30.00 and two addresses; 12.50 a month. */
export const larger = otherPlan('2000', { monthly: eur('30.00'), includedAddresses: 2 });
export const smaller = otherPlan('500', { monthly: eur('12.50') });

function otherPlan(code: string, more: Partial<PlanTerms>): PlanTerms {
  const planId = deriveId('plan', code);
  const source = { stream: `plan-${planId}`, revision: '0' };
  return sampleTerms({ planId, code, name: `VPS ${code}`, source, ...more });
}

/** Events folded as the host folds them. */
export class SampleAccount {
  state: AccountState = accountInitial();
  readonly events: Decided[] = [];

  constructor() {
    this.given(AccountOpened({ accountId, issuerId, issuerHomeId: issuerId }));
  }

  given(...events: readonly Decided[]): this {
    for (const event of events) {
      this.state = evolveAccount(this.state, recorded(event, this.events.length));
      this.events.push(event);
    }
    return this;
  }

  /** Decides, folds what was accepted and answers it; throws what was refused. */
  when(decide: (state: AccountState) => Decision): readonly Decided[] {
    const decision = decide(this.state);
    if (decision.kind === 'refused') throw new Error(decision.refusal.code);
    this.given(...decision.events);
    return decision.events;
  }

  starts(
    at: string,
    container = 'web1',
    more: { terms?: PlanTerms; zone?: string; addresses?: readonly string[] } = {},
  ): readonly Decided[] {
    return this.when((state) =>
      startSubscription(state, {
        accountId,
        containerId: containerId(container),
        hostname: `${container}.example.com`,
        terms: more.terms ?? sampleTerms(),
        zone: more.zone ?? 'UTC',
        addresses: (more.addresses ?? [`${container}-first`]).map(address),
        cause: causeAt(at, 'ContainerRunning', container),
      }),
    );
  }

  /** A new life after {@link ends}; `n` tells several apart. */
  restores(at: string, n: number, container = 'web1', terms = sampleTerms()): readonly Decided[] {
    const cause = causeAt(at, `ContainerRestored-${n}`, container);
    return this.when((state) =>
      startSubscription(state, {
        ...{ accountId, containerId: containerId(container), cause, terms, zone: 'UTC' },
        hostname: `${container}.example.com`,
        addresses: [address(`${container}-first`)],
        key: { restoredBy: cause.eventId },
      }),
    );
  }

  resizes(at: string, terms: PlanTerms, n: number, container = 'web1'): readonly Decided[] {
    const cause = causeAt(at, `ContainerResized-${n}`, container);
    const subject = { accountId, containerId: containerId(container) };
    return this.when((state) => changePlan(state, { ...subject, terms, cause }));
  }

  adds(at: string, name: string, container = 'web1'): readonly Decided[] {
    return this.when((state) =>
      addAddresses(state, {
        accountId,
        containerId: containerId(container),
        addresses: [address(name)],
        cause: causeAt(at, `AddressesAttached-${name}`, container),
      }),
    );
  }

  removes(at: string, name: string, container = 'web1'): readonly Decided[] {
    return this.when((state) =>
      removeAddresses(state, {
        accountId,
        containerId: containerId(container),
        leaseIds: [address(name).leaseId],
        cause: causeAt(at, `AddressesDetached-${name}`, container),
      }),
    );
  }

  /** The operation that attached it undid that. */
  detaches(at: string, name: string, container = 'web1'): readonly Decided[] {
    const cause = causeAt(at, `AddressesDetached-${name}`, container);
    const subject = { accountId, containerId: containerId(container), cause };
    const leaseIds = [address(name).leaseId];
    return this.when((state) => undoAddresses(state, { ...subject, leaseIds }, { homeId }));
  }

  /** Its order was undone. */
  undoes(at: string, container = 'web1'): readonly Decided[] {
    const cause = causeAt(at, 'OrderUndone', container);
    const subject = { accountId, containerId: containerId(container), cause };
    return this.when((state) => voidSubscriptions(state, subject, { homeId }));
  }

  ends(at: string, container = 'web1', name = 'ContainerDeleted'): readonly Decided[] {
    return this.when((state) =>
      endSubscription(state, {
        accountId,
        containerId: containerId(container),
        cause: causeAt(at, name, container),
      }),
    );
  }
}

function recorded(event: Decided, revision: number): EventOf<(typeof accountEvents)[number]> {
  const whole: Recorded = {
    ...event,
    id: uuidOf('recorded', String(revision)),
    schemaver: 1,
    time: '2026-04-01T00:00:00.000Z',
    tenantid: accountId,
    homeid: accountId,
    actorid: 'policy:test',
    correlationid: '',
    causationid: '',
    commandkey: uuidOf('command', String(revision)),
    inputhash: '',
    stream: accountStream(accountId),
    revision: BigInt(revision),
    position: '',
    epoch: 'test',
  };
  return whole as EventOf<(typeof accountEvents)[number]>;
}
