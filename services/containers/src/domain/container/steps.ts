/** Which step a container needs next, and whether a waiting ask has what it asked for. */
import type { Step } from '@bivouac/events/node';

import { type ContainerState, isGone, wantedPower, type Waiting } from './state.ts';

/** The step that the waiting ask needs next. */
export function needed(state: ContainerState, waiting: Waiting): Step | undefined {
  switch (waiting.name) {
    case 'containers.build':
      return 'build';
    case 'containers.hold':
    case 'containers.unhold':
    case 'containers.power':
    case 'containers.soft-delete':
    case 'containers.restore':
      return powerStep(state);
    case 'containers.destroy':
      return 'destroy';
    case 'containers.attach':
    case 'containers.detach':
    case 'containers.remove-addresses':
      return 'network';
    case 'containers.resize':
      return 'limits';
    case 'containers.packages':
      return 'packages';
    default:
      return undefined;
  }
}

/** Whether a waiting ask has what it asked for. */
export function reached(state: ContainerState, { name }: Waiting): boolean {
  switch (name) {
    case 'containers.build':
      return state.lifecycle === 'running';
    case 'containers.hold':
    case 'containers.unhold':
    case 'containers.restore':
      return powerStep(state) === undefined && !settling(state);
    case 'containers.power':
      // What a hold has overtaken is not reached.
      return powerStep(state) === undefined && !settling(state) && !heldBack(state);
    case 'containers.soft-delete':
      return state.lifecycle === 'soft-deleted';
    case 'containers.destroy':
    case 'containers.discard':
      return isGone(state);
    case 'containers.attach':
      return state.attaching.length === 0;
    case 'containers.detach':
      return state.networkDone === state.networkWish;
    case 'containers.remove-addresses':
      return !state.addresses.some(({ leaseId }) => state.removal?.leaseIds.includes(leaseId));
    case 'containers.resize':
      return state.resizing === undefined;
    case 'containers.packages':
      return state.packaging === undefined;
    default:
      return true;
  }
}

/**
 * What the node is to do though no operation waits for it. After a failure only what a hold demands
 * is not put off, and what an ask may have half done; two steps that fail would otherwise call for
 * each other without end.
 */
export function wished(
  state: ContainerState,
  { failed, undone }: { readonly failed?: Step; readonly undone?: boolean },
): Step | undefined {
  if (wantedPower(state) === undefined) return undefined;
  const step = powerStep(state);
  const limits = state.limitsDone < state.limitsWish;
  if (failed !== undefined) {
    if (step === 'stop' && failed !== 'stop') return step;
    return limits && failed === 'limits' && undone === true ? 'limits' : undefined;
  }
  // Part of the network is set inside, where nothing runs while it is frozen.
  const frozen = state.power === 'frozen' || state.power === 'perhaps-frozen';
  if (state.networkDone < state.networkWish && !frozen) return 'network';
  return limits ? 'limits' : step;
}

/** The next step from what the node has confirmed to what is wanted of it. */
export function powerStep(state: ContainerState): Step | undefined {
  const { power } = state;
  const wanted = wantedPower(state);
  if (wanted === undefined) return undefined;
  if (wanted === 'stopped') return power === 'stopped' ? undefined : 'stop';
  if (state.restarting) return 'stop';
  if (power === wanted) return undefined;
  if (power === 'stopped' || power === 'unknown') return 'start';
  return wanted === 'running' ? 'thaw' : 'freeze';
}

/** The node may be doing what would change the power that was last confirmed. */
export function settling(state: ContainerState): boolean {
  switch (state.instruction?.step) {
    case 'build':
    case 'start':
    case 'stop':
    case 'freeze':
    case 'thaw':
      return true;
    default:
      return false;
  }
}

function heldBack(state: ContainerState): boolean {
  return state.holds.size > 0 && state.lifecycle !== 'stopped';
}
