/**
 * The limit of the gateway: the fastest that GraphQL Yoga of the same version does over the same
 * HTTP server. One field, a constant, no service, right or disk behind it. Documents are parsed and
 * validated once, as Yoga does by itself. Off is whatever else Yoga has to do for a request by
 * default and need not: pages for browsers, CORS, uploads, logging, masking of errors, and counting
 * the body's bytes as they come, which alone costs twice what all the rest does. (Ours refuses a body
 * by its Content-Length before it reads it.) First argument: how many characters the constant has.
 */
import { createServer } from 'node:http';

import { createSchema, createYoga } from 'graphql-yoga';

const constant = 'x'.repeat(Number(process.argv[2]));
const yoga = createYoga({
  schema: createSchema({
    typeDefs: 'type Query { it: String! } type Mutation { it: String! }',
    resolvers: { Query: { it: () => constant }, Mutation: { it: () => constant } },
  }),
  graphiql: false,
  landingPage: false,
  cors: false,
  multipart: false,
  batching: false,
  maxRequestBodySize: false,
  maskedErrors: false,
  logging: false,
});
const server = createServer((request, response) => {
  void yoga(request, response);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  // The first line of stdout tells the parent where to ask.
  console.log(typeof address === 'object' ? address?.port : '');
});
process.on('disconnect', () => process.exit());
