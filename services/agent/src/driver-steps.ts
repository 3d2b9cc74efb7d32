/**
 * Which step may follow which state, for every driver alike: what is done already, what is to be
 * done, and what is refused with which sentence.
 */
import { DriverError, type ObservedInstance } from './driver.ts';

/** The steps of a driver that change something. */
export const driverSteps = [
  'prepareImage',
  'create',
  'applyLimits',
  'configureNetwork',
  'start',
  'stop',
  'freeze',
  'thaw',
  'transact',
  'destroy',
] as const;
export type DriverStep = (typeof driverSteps)[number];

type State = ObservedInstance['state'];
type StateStep = Exclude<DriverStep, 'prepareImage' | 'create'>;

/**
 * `done`: the state is what the step wants, nothing is to be done. `act`: do it.
 * @throws {DriverError} `instance-missing`, or `engine-failed` where the state forbids the step.
 */
export function planStep(step: StateStep, containerId: string, state: State): 'act' | 'done' {
  if (state === 'absent') {
    if (step === 'destroy') return 'done';
    throw new DriverError(
      'instance-missing',
      `${step}: there is no container ${containerId} on this node; create it first.`,
    );
  }
  switch (step) {
    case 'start':
      if (state === 'running') return 'done';
      if (state === 'frozen') throw forbidden(step, containerId, 'frozen', 'thaw it');
      return 'act';
    case 'stop':
      return state === 'stopped' ? 'done' : 'act';
    case 'freeze':
      if (state === 'frozen') return 'done';
      if (state !== 'running') throw forbidden(step, containerId, 'not running', 'start it');
      return 'act';
    case 'thaw':
      if (state === 'running') return 'done';
      if (state !== 'frozen') throw forbidden(step, containerId, 'not running', 'start it');
      return 'act';
    case 'transact':
      // rpm runs inside.
      if (state === 'frozen') throw forbidden(step, containerId, 'frozen', 'thaw it');
      if (state !== 'running') throw forbidden(step, containerId, 'not running', 'start it');
      return 'act';
    case 'configureNetwork':
      // Part of it happens inside, where nothing runs now.
      if (state === 'frozen') throw forbidden(step, containerId, 'frozen', 'thaw it');
      return 'act';
    case 'applyLimits':
    case 'destroy':
      return 'act';
  }
}

/** Creation is done when this very generation is there; another one must be destroyed first. */
export function planCreate(
  containerId: string,
  wanted: number,
  existing: Pick<ObservedInstance, 'generation'> | undefined,
): 'act' | 'done' {
  if (existing === undefined) return 'act';
  if (existing.generation === wanted) return 'done';
  throw new DriverError(
    'engine-failed',
    `create: container ${containerId} is here in generation ${existing.generation}, not ${wanted}; destroy it first.`,
  );
}

function forbidden(step: string, containerId: string, state: string, remedy: string): DriverError {
  return new DriverError(
    'engine-failed',
    `${step}: container ${containerId} is ${state}; ${remedy} first.`,
  );
}
