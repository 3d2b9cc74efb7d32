/**
 * The topic of events as an AsyncAPI 3 document, for integrations: every event as a message, with the
 * CloudEvents headers (binary mode of the Kafka binding) it travels with.
 */
import type { EventDefinition } from '../language/index.ts';
import { type JsonSchema, versionName } from './json-schemas.ts';

const text = (description: string, more: JsonSchema = {}): JsonSchema => ({
  type: 'string',
  description,
  ...more,
});
const digits = { pattern: '^[0-9]+$' };
const uuid = { format: 'uuid' };

/** All are text, as Kafka's headers are bytes and 64-bit numbers fit no JSON number. */
const headers: JsonSchema = {
  type: 'object',
  required: [
    'ce_specversion',
    'ce_id',
    'ce_type',
    'ce_source',
    'ce_time',
    'ce_streamid',
    'ce_revision',
    'ce_position',
    'ce_tenantid',
    'ce_homeid',
    'ce_actorid',
    'ce_correlationid',
    'ce_causationid',
    'ce_commandkey',
    'ce_inputhash',
    'ce_schemaver',
    'ce_epoch',
    'content-type',
  ],
  properties: {
    ce_specversion: text('CloudEvents.', { const: '1.0' }),
    ce_id: text('The same for the same event, however often it comes: drop what you had.', uuid),
    ce_type: text('What happened, e.g. `containers.ContainerRunning`. Stable.'),
    ce_source: text('The installation.', { format: 'uri-reference' }),
    ce_time: text('Recorded time, UTC with milliseconds.', { format: 'date-time' }),
    ce_streamid: text('The stream, `<category>-<typeid>`.'),
    ce_revision: text('The number of the event in its stream, from 0, gapless.', digits),
    ce_position: text('Where it stands in the log: 20 digits that compare as text.', {
      pattern: '^[0-9]{20}$',
    }),
    ce_tenantid: text('The tenant whose thing this is.'),
    ce_homeid: text('The home of the stream: order is promised within it. The message’s key.'),
    ce_actorid: text('Lasting pseudonym of who caused it.'),
    ce_correlationid: text('The request behind it.'),
    ce_causationid: text('The event or request that caused this one.'),
    ce_commandkey: text('The command that made it: all of its events share it.', uuid),
    ce_inputhash: text('HMAC of the command’s input, base64url.'),
    ce_schemaver: text('The version of the body’s schema.', digits),
    ce_epoch: text('The epoch of the log: a restored backup starts a new one.'),
    ce_prev: text('Position of the message before it on its partition: none was lost between.', {
      pattern: '^[0-9]{20}$',
    }),
    'content-type': text('Of the body: canonical JSON (RFC 8785).', { const: 'application/json' }),
  },
};

/** The document. Bodies are in the schemas of their contexts, which stand beside it. */
export function asyncApiDocument(
  contexts: ReadonlyMap<string, readonly EventDefinition[]>,
  version: string,
): JsonSchema {
  const versions = [...contexts].flatMap(([context, definitions]) =>
    definitions.flatMap((definition) =>
      [...definition.schemas.keys()].map((number) => ({ context, definition, number })),
    ),
  );
  const names = versions.map(({ definition, number }) => versionName(definition.type, number));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Bivouac: events',
      version,
      description:
        'Everything that happens, as an append-only log, published in order by home. At least once: ' +
        'an event that comes again has its id. A consumer ignores types it does not handle.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    channels: {
      events: {
        address: 'bivouac.events.{epoch}',
        title: 'The log',
        description: 'Every event of every context. 64 partitions from birth, by home.',
        parameters: {
          epoch: { description: 'The epoch of the log: after a restore there is another topic.' },
        },
        messages: Object.fromEntries(
          names.map((name) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
        bindings: { kafka: { partitions: 64, bindingVersion: '0.5.0' } },
      },
    },
    operations: {
      publishEvents: {
        action: 'send',
        channel: { $ref: '#/channels/events' },
        summary: 'The relay publishes the log, each event once it is durable.',
      },
    },
    components: {
      messages: Object.fromEntries(
        versions.map(({ context, definition, number }) => {
          const name = versionName(definition.type, number);
          return [
            name,
            {
              name: definition.type,
              title: `${definition.type}, version ${number}`,
              headers: { $ref: '#/components/schemas/headers' },
              payload: {
                schemaFormat: 'application/schema+json;version=draft-07',
                schema: { $ref: `./${context}.json#/definitions/${name}` },
              },
              bindings: {
                kafka: {
                  key: { type: 'string', description: 'The home.' },
                  bindingVersion: '0.5.0',
                },
              },
            },
          ];
        }),
      ),
      schemas: { headers },
    },
  };
}
