/** A container's stream in tests, with what operations ask of it and what its node says. */
import type { LeasedAddress } from '@bivouac/events/operations';
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

  rename(hostname: string): Answered {
    return this.when((state) => domain.renameContainer(state, { containerId, hostname }));
  }

  /** The node's answer to the unanswered instruction, or to the one named. */
  answer(
    outcome: 'done' | 'refused' | 'failed' = 'done',
    instructionId = this.state.instruction?.id ?? id('instruction', 'none'),
    from = nodeId,
  ): Answered {
    const input = { nodeId: from, containerId, instructionId, outcome };
    return this.when((state, context) => domain.reportAnswer(state, input, context));
  }

  timeOut(instructionId = this.state.instruction?.id ?? id('instruction', 'none')): Answered {
    const input = { containerId, instructionId };
    return this.when((state, context) => domain.timeOutInstruction(state, input, context));
  }

  observe(
    seen: 'absent' | 'stopped' | 'running' | 'error',
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
