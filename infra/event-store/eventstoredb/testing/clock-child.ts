/**
 * The process of `clock.ts`. Arguments: milliseconds that its clock is off, the URL, a folder. The clock is
 * set before anything that reads it is loaded.
 */
const [, , off = '0', url = '', folder = ''] = process.argv;

const Real = Date;
const shift = Number(off);
globalThis.Date = class extends Real {
  constructor(...given: readonly [] | ConstructorParameters<typeof Real>) {
    if (given.length === 0) super(Real.now() + shift);
    else super(...given);
  }
  static override now(): number {
    return Real.now() + shift;
  }
} as DateConstructor;

const { sampleEvents } = await import('../../contract/samples.ts');
const { openEventStoreDb } = await import('../store.ts');
const patience = { append: 1500, idle: 1000, attempts: 4, pause: 5 };
try {
  const store = await openEventStoreDb({ url, folder, patience });
  const { revision } = await store.append('pool-1', 'no-stream', sampleEvents('off', 2));
  await store.close();
  process.stdout.write(JSON.stringify({ revision: String(revision) }));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: String(error) }));
}
process.exit(0);
