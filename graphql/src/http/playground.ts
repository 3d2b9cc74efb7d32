/** GraphiQL with two sample tabs: the first query, and the first order. */

const firstQuery = `# Put your API key into the headers below: { "Authorization": "Bearer bvk_…" }
query First {
  viewer {
    role
    account { id name kind }
  }
  plans(first: 5) { edges { node { code name monthly { amount currency } } } }
  images(first: 5) { edges { node { id name status } } }
  containers(last: 5) { edges { node { id hostname lifecycle addresses { address } } } }
}
`;

const firstOrder = `# accountId and imageId are in the answer of the first tab.
# Send it again with the same key: it is the same container.
mutation FirstOrder {
  provisionContainer(
    idempotencyKey: "my-first-order"
    input: { accountId: "ten_…", imageId: "img_…", plan: "1000", hostname: "web1.example.com" }
  ) {
    ... on OperationAccepted {
      position
      operation { id status progress targetId }
    }
    ... on UserError { code message path }
  }
}
`;

/** Options for Yoga's GraphiQL. */
export const playground = {
  title: 'Bivouac',
  defaultTabs: [{ query: firstQuery }, { query: firstOrder }],
  headers: JSON.stringify({ Authorization: 'Bearer ' }),
  isHeadersEditorEnabled: true,
  defaultEditorToolsVisibility: 'headers' as const,
};
