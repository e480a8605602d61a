const ESM_ONLY = 'jose|file-type|strtok3|token-types|@tokenizer/inflate|@borewit/text-codec|uint8array-extras'

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  globalSetup: '<rootDir>/test/support/global-setup.js',
  testTimeout: 30_000,
  // Many tests wait for a process, a grace or a death: a core to spare would be idle.
  maxWorkers: '100%',
  transform: {
    '^.+\\.ts$': ['ts-jest', { diagnostics: false }],
    // ESM-only packages, for jest's CommonJS.
    [`node_modules/(${ESM_ONLY})/.+\\.js$`]: [
      'ts-jest',
      {
        diagnostics: false,
        tsconfig: {
          allowJs: true,
          isolatedModules: true,
          module: 'commonjs',
          moduleResolution: 'node10',
          target: 'es2023',
        },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${ESM_ONLY})/)`],
}
