// The import direction of docs/architecture.md, checked in `npm test`.
const service = '^services/([^/]+)/';
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'events-import-nothing-of-ours',
      severity: 'error',
      from: { path: '^events/' },
      to: { path: '^(infra|services|graphql|test)/' },
    },
    {
      name: 'infra-imports-events-only',
      severity: 'error',
      from: { path: '^infra/' },
      to: { path: '^(services|graphql|test)/' },
    },
    {
      name: 'services-never-import-each-other',
      severity: 'error',
      from: { path: service, pathNot: '^services/all/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'services-never-import-the-gateway',
      severity: 'error',
      from: { path: '^services/', pathNot: '^services/all/' },
      to: { path: '^(graphql|test)/' },
    },
    {
      name: 'the-gateway-imports-only-apis',
      severity: 'error',
      from: { path: '^graphql/', pathNot: '(\\.test|/sample-[a-z-]+)\\.ts$' },
      to: { path: '^services/', pathNot: '^services/[^/]+/src/api/' },
    },
    {
      name: 'apis-import-events-alone',
      severity: 'error',
      from: { path: '^services/[^/]+/src/api/' },
      to: { path: '^(infra|graphql|test|services/[^/]+/src/(?!api/))' },
    },
    {
      name: 'domain-imports-events-and-pure-libraries',
      severity: 'error',
      from: { path: '^services/[^/]+/src/domain/', pathNot: '(\\.test|/sample-[a-z-]+)\\.ts$' },
      to: { path: '^(infra|graphql|test|services/[^/]+/src/(?!domain/))' },
    },
    {
      name: 'domain-uses-only-pure-packages',
      severity: 'error',
      from: { path: '^services/[^/]+/src/domain/', pathNot: '(\\.test|/sample-[a-z-]+)\\.ts$' },
      to: {
        dependencyTypes: ['npm', 'core'],
        pathNot: 'node_modules/(temporal-polyfill|temporal-spec|zod|ipaddr\\.js)/',
      },
    },
    {
      name: 'nobody-imports-all',
      severity: 'error',
      from: { pathNot: '^(services/all|test)/' },
      to: { path: '^services/all/' },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
    exclude: { path: '(/dist/|/data/)' },
  },
};
