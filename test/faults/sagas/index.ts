/**
 * Faults of operations: the saga kit on every kind there is. Whole, it plays everything that can go wrong
 * with each of them; else a share of it, drawn from the seed.
 */
import { Draws } from '@bivouac/all/draws';
import { OperationKindSchema } from '@bivouac/events/provisioning';

import { type KilledReport, killScenario } from './killed.ts';
import { type Scenario, scenarios } from './kinds.ts';
import { Kit, type KitReport, type Share } from './kit.ts';
import { Worlds } from './world.ts';

/** What the faults of one seed showed. */
export interface SagaFaultReport {
  readonly events: number;
  /** Processes that died. */
  readonly crashes: number;
  readonly violations: readonly string[];
}

/** Of each sort, where not all are played. */
const EACH = 1;
/** Of a scenario's real processes, where all are played. */
const KILLS = 3;

/** @param tell is told what was played, scenario by scenario. */
export async function runSagaFaults(
  seed: number,
  whole: boolean,
  tell: (line: string) => void,
): Promise<SagaFaultReport> {
  const worlds = new Worlds();
  const share = { seed, each: whole ? ('all' as const) : EACH };
  const reports: KitReport[] = [];
  try {
    for (const scenario of allScenarios()) {
      const report = await playScenario(worlds, scenario, share);
      reports.push(report);
      tell(`${report.scenario}: ${counts([report])}`);
    }
  } finally {
    await worlds.dispose();
  }
  tell(`${OperationKindSchema.options.length} kinds of operations: ${counts(reports)}`);
  const killed = await killForReal(seed, whole);
  const { kills, missed } = killed;
  tell(
    `real processes: ${kills} killed, ${missed} not come to, ${killed.violations.length} violations`,
  );
  return {
    events: sum(reports.map(({ events }) => events)),
    crashes: kills + sum(reports.map(({ deaths }) => deaths)),
    violations: [
      ...reports.flatMap(({ violations, unseen }) => [
        ...violations,
        ...unseen.map((step) => `${step} was never seen done`),
      ]),
      ...killed.violations,
    ],
  };
}

/** Real processes killed: some of every scenario, or one of one that the seed says. */
async function killForReal(seed: number, whole: boolean): Promise<KilledReport> {
  const all = allScenarios();
  const drawn = new Draws(seed, 'killed').pick(all);
  const reports: KilledReport[] = [];
  for (const scenario of whole ? all : all.filter((one) => one === drawn)) {
    reports.push(await killScenario(scenario, seed, whole ? KILLS : 1));
  }
  return {
    kills: sum(reports.map(({ kills }) => kills)),
    missed: sum(reports.map(({ missed }) => missed)),
    violations: reports.flatMap(({ violations }) => violations),
  };
}

/** Every scenario, of every kind. */
export function allScenarios(): readonly Scenario[] {
  return OperationKindSchema.options.flatMap((kind) => scenarios[kind]);
}

/** Makes the scenario's world and plays the kit on it. */
export async function playScenario(
  worlds: Worlds,
  scenario: Scenario,
  share: Share,
): Promise<KitReport> {
  return new Kit(await worlds.ready(scenario), share).play();
}

function counts(reports: readonly KitReport[]): string {
  const steps = sum(reports.map(({ done }) => done.length));
  const failpoints = sum(reports.map((report) => report.failpoints));
  const runs = sum(reports.map((report) => report.runs));
  const deaths = sum(reports.map((report) => report.deaths));
  const violations = sum(reports.map((report) => report.violations.length));
  return `${steps} steps and undos, ${failpoints} failpoints, ${runs} runs, ${deaths} deaths, ${violations} violations`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
