/** `npm run relay`: publishes the log to Kafka, until it is told to stop. */
import { startRelayPart } from './relay-part.ts';
import { runPart } from './run.ts';

runPart('relay', startRelayPart);
