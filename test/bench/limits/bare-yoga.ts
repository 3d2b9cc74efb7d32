/**
 * The limit of the gateway: GraphQL Yoga of the same version over the same HTTP, without a service,
 * a right or a disk behind it, answering a constant. First argument: how many characters of it.
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
