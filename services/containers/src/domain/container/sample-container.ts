/** A container's stream in tests, with what operations ask of it and what its node says. */
import type { PowerAction } from '@bivouac/events/containers';
import type { LeasedAddress, PackageReport } from '@bivouac/events/operations';
import { plusSeconds } from '@bivouac/events/values';

import { container } from '../../commands/aggregates.ts';
import { address, id, imageFacts, plan, Stream } from '../../given.ts';
import * as domain from './index.ts';

const containerId = id('container');
const nodeId = id('node');
const holdOf = (name: string) => ({
  holdId: id('hold', name),
  kind: 'billing' as const,
  reason: 'overdue',
});

/** What a node says of packages it changed. */
export function reported(name = 'httpd'): PackageReport {
  const added = [{ name, epoch: 0, version: '2.0', release: '1', arch: 'i386' }];
  return { added, removed: [], configFiles: [], inventory: 'd'.repeat(64), output: '' };
}

type Answered = readonly string[] | string;

export class SampleContainer extends Stream<domain.ContainerState> {
  constructor() {
    super(container);
  }

  /** An ask of an operation's step; `seconds` until its deadline. */
  asking(operation: string, step: string, attempt = 1, seconds = 60, tenant = 'a') {
    return {
      containerId,
      tenantId: id('tenant', tenant),
      ref: { operationId: id('operation', operation), step, attempt },
      notAfter: plusSeconds(this.now, seconds),
    };
  }

  request(operation = 'make', more: { hostname?: string; tenant?: string } = {}): Answered {
    const { hostname = 'web1.example.com', tenant = 'a' } = more;
    const asking = this.asking(operation, 'request', 1, 60, tenant);
    const input = { ...asking, hostname, plan: plan(), image: imageFacts() };
    return this.when((state, context) => domain.requestContainer(state, input, context));
  }

  build(operation = 'make', attempt = 1, placement = 'a'): Answered {
    const input = {
      ...this.asking(operation, 'build', attempt, 300),
      ...{ nodeId, placementId: id('placement', placement), location: 'fra1' },
      ...{ reservationId: id('reservation'), addresses: [address('own')] },
    };
    return this.when((state, context) => domain.buildContainer(state, input, context));
  }

  hold(operation = 'suspend', name = 'h', attempt = 1): Answered {
    const input = { ...this.asking(operation, 'hold', attempt), hold: holdOf(name) };
    return this.when((state, context) => domain.holdContainer(state, input, context));
  }

  unhold(operation = 'resume', name = 'h', attempt = 1): Answered {
    const input = { ...this.asking(operation, 'unhold', attempt), holdId: id('hold', name) };
    return this.when((state, context) => domain.unholdContainer(state, input, context));
  }

  tenantHold(name = 't'): Answered {
    const input = { containerId, hold: holdOf(name) };
    return this.when((state, context) => domain.placeTenantHold(state, input, context));
  }

  tenantUnhold(name = 't'): Answered {
    const input = { containerId, holdId: id('hold', name) };
    return this.when((state, context) => domain.liftTenantHold(state, input, context));
  }

  destroy(operation = 'terminate', attempt = 1, tenant = 'a'): Answered {
    const input = {
      ...this.asking(operation, 'destroy', attempt, 60, tenant),
      reason: 'cancelled by the customer',
    };
    return this.when((state, context) => domain.destroyContainer(state, input, context));
  }

  discard(operation = 'make', attempt = 1, tenant = 'a'): Answered {
    const input = {
      ...this.asking(operation, 'undo-request', attempt, 60, tenant),
      reason: 'the order could not be fulfilled',
    };
    return this.when((state, context) => domain.discardContainer(state, input, context));
  }

  attach(
    operation = 'add',
    addresses: readonly LeasedAddress[] = [address('extra', 20)],
  ): Answered {
    const input = {
      ...this.asking(operation, 'attach'),
      ...{ reservationId: id('reservation', operation), addresses },
    };
    return this.when((state, context) => domain.attachAddresses(state, input, context));
  }

  detach(operation = 'add', ...names: string[]): Answered {
    const leaseIds = (names.length === 0 ? ['extra'] : names).map((name) => id('lease', name));
    const input = { ...this.asking(operation, 'undo-attach'), leaseIds };
    return this.when((state, context) => domain.detachAddresses(state, input, context));
  }

  power(action: PowerAction, operation = 'power', attempt = 1): Answered {
    const input = { ...this.asking(operation, 'power', attempt), action };
    return this.when((state, context) => domain.powerContainer(state, input, context));
  }

  resize(operation = 'resize', attempt = 1): Answered {
    const limits = { ...plan().limits, cpuMillis: 2000 };
    const input = {
      ...this.asking(operation, 'resize', attempt),
      ...{ plan: plan({ code: '2000', limits }), reservationId: id('reservation', operation) },
    };
    return this.when((state, context) => domain.resizeContainer(state, input, context));
  }

  remove(operation = 'remove', names: readonly string[] = ['extra'], attempt = 1): Answered {
    const leaseIds = names.map((name) => id('lease', name));
    const input = { ...this.asking(operation, 'remove', attempt), leaseIds };
    return this.when((state, context) => domain.removeAddresses(state, input, context));
  }

  /** With a window of a day. */
  softDelete(operation = 'delete', attempt = 1): Answered {
    const input = {
      ...this.asking(operation, 'soft-delete', attempt),
      ...{ reason: 'cancelled', restoreUntil: plusSeconds(this.now, 86_400) },
    };
    return this.when((state, context) => domain.softDeleteContainer(state, input, context));
  }

  restore(operation = 'restore', attempt = 1): Answered {
    const input = this.asking(operation, 'restore', attempt);
    return this.when((state, context) => domain.restoreContainer(state, input, context));
  }

  endWindow(restoreUntil = this.state.softDeleted?.restoreUntil ?? this.now): Answered {
    const input = { containerId, restoreUntil };
    return this.when((state, context) => domain.endRestoreWindow(state, input, context));
  }

  changePackages(
    operation = 'packages',
    attempt = 1,
    names: readonly string[] = ['httpd'],
  ): Answered {
    const install = names.map((name) => ({
      ...{ name, epoch: 0, version: '2.0', release: '1', arch: 'i386' },
    }));
    const transaction = { install, upgrade: [], remove: [] };
    const input = { ...this.asking(operation, 'packages', attempt), transaction };
    return this.when((state, context) => domain.changePackages(state, input, context));
  }

  reconcile(): Answered {
    return this.when((state, context) =>
      domain.reconcileContainer(state, { containerId }, context),
    );
  }

  letGo(operation: string): Answered {
    const input = { containerId, operationId: id('operation', operation) };
    return this.when((state, context) => domain.letGo(state, input, context));
  }

  rename(hostname: string): Answered {
    return this.when((state) => domain.renameContainer(state, { containerId, hostname }));
  }

  /** The node's answer to the unanswered instruction, or to the one named. */
  answer(
    outcome: 'done' | 'refused' | 'failed' = 'done',
    instructionId = this.state.instruction?.id ?? id('instruction', 'none'),
    from = nodeId,
    packages = outcome === 'done' && this.state.packaging !== undefined ? reported() : undefined,
  ): Answered {
    const input = { nodeId: from, containerId, instructionId, outcome, packages };
    return this.when((state, context) => domain.reportAnswer(state, input, context));
  }

  /** A `done` that does not say what is installed. */
  answerWithoutReport(instructionId: string): Answered {
    const input = { nodeId, containerId, instructionId, outcome: 'done' as const };
    return this.when((state, context) => domain.reportAnswer(state, input, context));
  }

  timeOut(instructionId = this.state.instruction?.id ?? id('instruction', 'none')): Answered {
    const input = { containerId, instructionId };
    return this.when((state, context) => domain.timeOutInstruction(state, input, context));
  }

  observe(
    seen: 'absent' | 'stopped' | 'running' | 'frozen' | 'error',
    generation = this.state.generation,
    from = nodeId,
  ): Answered {
    const input = { nodeId: from, containerId, generation, state: seen };
    return this.when((state) => domain.reportObservation(state, input));
  }

  /** The step the node has been told last. */
  get told(): unknown {
    return this.last('InstructionIssued')?.['step'];
  }

  get settled(): Readonly<Record<string, unknown>> | undefined {
    return this.last('AskSettled');
  }

  running(): this {
    this.request();
    this.build();
    this.answer();
    return this;
  }
}
