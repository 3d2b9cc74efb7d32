/**
 * Policies and responders as the reaction consumer runs them: what a service's `service.ts` lists,
 * given the means to act.
 */
import {
  canonicalBytes,
  type CommandReply,
  type EventRegistry,
  is,
  type Position,
  type Principal,
  type Recorded,
  type Refusal,
} from '@bivouac/events/language';
import {
  AskAnswered,
  type AskName,
  type AskRef,
  asks,
  answerStream,
  type Outcome,
  StepAsked,
} from '@bivouac/events/operations';
import { instantOf, uuidOf } from '@bivouac/events/values';

import { type EventStore, EventStoreError } from '../event-store/port.ts';
import { currentSpan, startAppend } from '../tracing/spans.ts';
import type { View } from '../views/port.ts';
import type { Clock } from './clock.ts';
import type { CommandHost } from './commands/host.ts';
import type {
  Answer,
  EdgePorts,
  Policy,
  PolicyContext,
  Responder,
  ServiceDefinition,
} from './definitions.ts';
import { RuntimeError } from './errors.ts';

/** One reaction of a service, as the consumer runs it. */
export interface ServiceReaction {
  readonly name: string;
  readonly types: ReadonlySet<string>;
  readonly target: (event: Recorded) => string | undefined;
  readonly react: (event: Recorded) => Promise<void>;
}

export interface PolicyDependencies {
  readonly host: CommandHost;
  readonly store: EventStore;
  readonly registry: EventRegistry;
  readonly clock: Clock;
  readonly ports: EdgePorts;
  /** The service's live view, once it has applied this position (bounded; undefined: it has not). */
  readonly viewAt: (
    position: Position,
  ) => Promise<{ readonly view: View; readonly position: Position | null } | undefined>;
}

/** The reactions of a service: its policies, and its answers to asks. */
export function reactionsOf(
  service: ServiceDefinition,
  deps: PolicyDependencies,
): ServiceReaction[] {
  const reactions = service.policies.map((policy) => policyReaction(policy, deps));
  if (service.responders.length > 0) reactions.push(responderReaction(service, deps));
  return reactions;
}

function policyReaction(policy: Policy, deps: PolicyDependencies): ServiceReaction {
  return {
    name: policy.name,
    types: new Set(policy.definitions.map((definition) => definition.type)),
    target: (event) => policy.target(event),
    react: (event) => policy.react(event, contextFor(policy.name, event, deps)),
  };
}

function responderReaction(service: ServiceDefinition, deps: PolicyDependencies): ServiceReaction {
  const byAsk = new Map<AskName, Responder>(service.responders.map((r) => [r.ask, r]));
  const inputs = new Map([...byAsk.keys()].map((ask) => [ask, asks[ask].input]));
  return {
    name: `${service.name}.answer-asks`,
    types: new Set([StepAsked.type]),
    target: (event) => {
      if (!is(event, StepAsked)) return undefined;
      return byAsk.get(event.data.ask)?.target(event.data.input, event.data.ref);
    },
    react: async (event) => {
      if (!is(event, StepAsked)) return;
      const { ask, ref, notAfter } = event.data;
      const responder = byAsk.get(ask);
      if (responder === undefined) return;
      const context = contextFor(`${service.name}.answer.${ask}`, event, deps);
      const input = inputs.get(ask)?.parse(event.data.input);
      const late = (): boolean => instantOf(deps.clock.now()) > notAfter;
      const undo = (): Promise<void> => responder.undo(input, ref, event, context);
      // An ask comes again after a crash. Where its answer stands, acting could only leave something
      // over that nobody asks for any more: what was refused then may be possible now.
      let standing = await context.answered(ref);
      // So it could after the deadline. Somebody else who has the ask, by a clock that is behind, may be
      // answering it just now, and may have done so since it was looked at: of the two one answer stands.
      if (standing === undefined && late()) {
        const given = await recordAnswer(ref, ask, TIMED_OUT, event, context.principal, deps);
        standing = given === 'recorded' ? 'timed-out' : await context.answered(ref);
      }
      // What an earlier delivery did before dying is undone.
      if (standing === 'timed-out' || (standing === 'refused' && late())) return undo();
      if (standing !== undefined) return;
      const answer = await responder.act(input, ref, event, context);
      if (answer === 'later') return;
      const outcome = await context.answer(ref, ask, answer);
      if (answer.outcome === 'done' && outcome === 'lost') return undo();
      // Refused, perhaps for being late alone: what one who has died since decided in time may still be on
      // its way to the log, and would find everything as it was. It finds a tombstone. Only now: another's
      // `done` may stand.
      if (answer.outcome === 'refused' && late() && (await context.answered(ref)) !== 'done')
        await undo();
    },
  };
}

function contextFor(name: string, event: Recorded, deps: PolicyDependencies): PolicyContext {
  const principal: Principal = {
    id: `policy:${name}`,
    kind: 'policy',
    tenantId: event.tenantid,
    homeId: event.homeid,
    reach: 'all',
    rights: 'all',
    audience: 'staff',
  };
  return {
    principal,
    ports: deps.ports,
    now: () => instantOf(deps.clock.now()),
    load: (aggregate, stream, upTo) => deps.host.load(aggregate, stream, upTo),
    read: (aggregate, stream, select) => deps.host.read(aggregate, stream, select),
    execute: async (contract, input, n = '') => {
      const reply = await deps.host.command(contract, input, {
        principal,
        idempotencyKey: n === '' ? event.id : `${event.id}/${n}`,
        correlationId: event.correlationid,
        causationId: event.id,
      });
      throwIfTransient(reply);
      return reply;
    },
    candidates: async (read) => {
      const at = await deps.viewAt(event.position);
      if (at === undefined) {
        throw new RuntimeError('unavailable', `the view has not applied ${event.position} yet`);
      }
      return { value: read(at.view), position: at.position };
    },
    answer: (ref, ask, answer) => recordAnswer(ref, ask, answer, event, principal, deps),
    answered: (ref) => standingOutcome(ref, deps),
  };
}

/** A reaction that met a busy or absent store is run again; a refusal is the policy's business. */
function throwIfTransient(reply: CommandReply<unknown>): void {
  if (reply.ok || reply.refusal.retryable !== true) return;
  const code = reply.refusal.code;
  if (code === 'CONTENTION') throw new RuntimeError('contention', reply.refusal.message);
  if (code === 'UNAVAILABLE') throw new RuntimeError('unavailable', reply.refusal.message);
  if (code === 'OUTCOME_UNKNOWN') throw new RuntimeError('outcome-unknown', reply.refusal.message);
  if (code === 'SHUTTING_DOWN') throw new RuntimeError('shutting-down', reply.refusal.message);
}

/** The outcome of the ask's one answer; undefined while there is none. */
async function standingOutcome(
  ref: AskRef,
  deps: PolicyDependencies,
): Promise<Outcome | undefined> {
  const page = await deps.store.readStream(answerStream(ref), { limit: 1 });
  const answer = page.exists ? page.events[0] : undefined;
  const recorded = answer === undefined ? undefined : deps.registry.decode(answer);
  return recorded !== undefined && is(recorded, AskAnswered) ? recorded.data.outcome : undefined;
}

/** As the operation's own deadline says it. */
const TIMED_OUT = { outcome: 'timed-out' } as const;

/** Appends revision 0 of the answer stream; whoever is second has lost, unless it is the same answer. */
async function recordAnswer(
  ref: AskRef,
  ask: AskName,
  answer: Answer | typeof TIMED_OUT,
  event: Recorded,
  principal: Principal,
  deps: PolicyDependencies,
): Promise<'recorded' | 'lost'> {
  const stream = answerStream(ref);
  const body = {
    ref,
    ask,
    outcome: answer.outcome,
    ...('result' in answer && { result: { ...answer.result } }),
    ...('refusal' in answer && { refusal: copyOf(answer.refusal) }),
  };
  const { schemaver, data } = deps.registry.encode(AskAnswered(body));
  // The outcome is part of the id: an owner that said "refused" and would now say "done" has lost.
  const commandKey = uuidOf(event.tenantid, principal.id, 'answer', stream, answer.outcome);
  const envelope = {
    id: uuidOf(commandKey, '0'),
    type: AskAnswered.type,
    homeid: event.homeid,
    correlationid: event.correlationid,
  };
  const span = startAppend(envelope, stream, 0n, currentSpan());
  try {
    const { position } = await deps.store.append(stream, 'no-stream', [
      {
        ...envelope,
        schemaver,
        time: instantOf(deps.clock.now()),
        tenantid: event.tenantid,
        actorid: principal.id,
        causationid: event.id,
        commandkey: commandKey,
        inputhash: await deps.ports.keys.hmac(`home:${event.homeid}`, canonicalBytes(body)),
        data,
      },
    ]);
    span.note({ 'bivouac.position': position, 'bivouac.outcome': answer.outcome });
    span.end();
    return 'recorded';
  } catch (error) {
    if (error instanceof EventStoreError && error.code === 'conflict') return 'lost';
    throw error;
  }
}

function copyOf(refusal: Refusal) {
  const { code, message, path, retryable, details } = refusal;
  return {
    code,
    message,
    ...(path === undefined ? {} : { path: [...path] }),
    ...(retryable === undefined ? {} : { retryable }),
    ...(details === undefined ? {} : { details: { ...details } }),
  };
}
