/** Money and limits, which several contexts show and take. */
import type { Limits } from '@bivouac/events/operations';
import type { Money } from '@bivouac/events/values';

import { builder } from './builder.ts';

export const MoneyRef = builder.objectRef<Money>('Money').implement({
  description: 'An exact amount of money.',
  fields: (t) => ({
    amount: t.exposeString('amount', {
      description: 'A decimal with the digits of its currency, e.g. `24.50`.',
    }),
    currency: t.exposeString('currency', { description: 'ISO 4217, e.g. `EUR`.' }),
  }),
});

export const MoneyInput = builder.inputType('MoneyInput', {
  description: 'An exact amount of money.',
  fields: (t) => ({
    amount: t.string({ description: 'A decimal, e.g. `24.50`.' }),
    currency: t.string({ description: 'ISO 4217, e.g. `EUR`.' }),
  }),
});

export const LimitsRef = builder.objectRef<Limits>('Limits').implement({
  description: 'What a container may take on its node.',
  fields: (t) => ({
    cpuMillis: t.exposeInt('cpuMillis', { description: 'CPU in thousandths of one CPU.' }),
    memoryBytes: t.expose('memoryBytes', { type: 'Bytes', description: 'Memory.' }),
    diskBytes: t.expose('diskBytes', { type: 'Bytes', description: 'Disk.' }),
    processes: t.exposeInt('processes', { description: 'Processes and threads.' }),
    cpuUnits: t.exposeInt('cpuUnits', {
      description: 'Weight among the containers of a node, as OpenVZ counts it.',
    }),
  }),
});

export const LimitsInput = builder.inputType('LimitsInput', {
  description: 'What a container may take on its node.',
  fields: (t) => ({
    cpuMillis: t.int({ description: 'CPU in thousandths of one CPU.' }),
    memoryBytes: t.field({ type: 'Bytes', description: 'Memory.' }),
    diskBytes: t.field({ type: 'Bytes', description: 'Disk.' }),
    processes: t.int({ description: 'Processes and threads.' }),
    cpuUnits: t.int({ description: 'Weight among the containers of a node, 1000 is usual.' }),
  }),
});
