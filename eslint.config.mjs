import tseslint from 'typescript-eslint';

const noProcessEnv = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Configuration is read in one place: infra/runtime/config.ts.',
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/data/**', '.turbo/**', '**/*.cjs'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': ['error', noProcessEnv],
    },
  },
  {
    // Domain code has no clock, no randomness and no timers: they are handed in.
    files: [
      'services/*/src/domain/**/*.ts',
      'services/*/src/policies/**/*.ts',
      'services/*/src/projections/**/*.ts',
      'events/**/*.ts',
    ],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        'Date',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'performance',
        'crypto',
        'fetch',
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness is injected.' },
      ],
    },
  },
  {
    files: ['infra/runtime/config.ts', 'test/**/*.ts', '**/*.live.test.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // Commands a person starts print to their terminal.
    files: [
      'services/all/src/**/*.ts',
      'services/agent/src/main.ts',
      'infra/process/run.ts',
      'test/**/*.ts',
      'graphql/src/print-schema.ts',
      'infra/dev/eventstore/main.ts',
      'tools/**',
    ],
    rules: { 'no-console': 'off' },
  },
);
