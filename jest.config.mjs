// One configuration, three projects: what needs no server (unit), what needs real ones (live),
// and nothing else. Every project reads the sources directly, so no build comes before a test.
const base = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: { '^fast-check$': '<rootDir>/tools/fast-check.mjs' },
  modulePathIgnorePatterns: ['/dist/', '/data/'],
  ...(process.env['E2E_ROLLED'] === '1' && { resolver: '<rootDir>/tools/next-version.cjs' }),
};

export default {
  maxWorkers: 2,
  // Modules of files that are over stay in memory; what collects it would slow down the files that follow.
  workerIdleMemoryLimit: '500MB',
  testSequencer: '<rootDir>/tools/sequencer.cjs',
  // Ends what hangs. No test measures time, so a slow machine must not fail one.
  testTimeout: 60_000,
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['**/*.unit.test.ts', '**/*.int.test.ts'],
      testPathIgnorePatterns: ['/node_modules/'],
    },
    {
      ...base,
      displayName: 'live',
      testMatch: ['<rootDir>/**/*.live.test.ts'],
      testPathIgnorePatterns: ['/node_modules/'],
    },
  ],
};
