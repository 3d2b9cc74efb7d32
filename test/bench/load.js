/**
 * A load generator in a process of its own, so that asking costs the answering side nothing: so many
 * requests over so many connections that stay open. Plan as JSON in the first argument, the outcome
 * as JSON on stdout.
 */
import autocannon from 'autocannon';

/**
 * @typedef {object} LoadPlan
 * @property {string} url where to post to
 * @property {number} amount requests in all
 * @property {number} connections open at once
 * @property {Record<string, string>} headers
 * @property {string} body `{n}` becomes a number that no other request of the run has
 */

/** @type {LoadPlan} */
const plan = JSON.parse(process.argv[2] ?? '');
let n = 0;
let wrong = 0;
let bytes = 0;
let began = 0;
let ended = 0;
const run = autocannon({
  url: plan.url,
  amount: plan.amount,
  connections: plan.connections,
  requests: [
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...plan.headers },
      setupRequest: (request) => {
        began ||= performance.now();
        return { ...request, body: plan.body.replaceAll('{n}', String(n++)) };
      },
      onResponse: (status, body) => {
        bytes = body.length;
        ended = performance.now();
        // GraphQL answers 200 also where something went wrong.
        if (status !== 200 || body.includes('"errors":') || body.includes('"code":')) wrong++;
      },
    },
  ],
});
run.on('done', (result) => {
  // Not until now: autocannon notices the end at its next full second.
  const seconds = (ended - began) / 1000;
  const answered = result.requests.total;
  wrong += result.errors + result.timeouts + (plan.amount - answered);
  console.log(JSON.stringify({ answered, wrong, bytes, seconds }));
});
