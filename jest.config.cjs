module.exports = {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/transform.cjs' },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/.cache'],
  // DynamoDB engines for the suites that ask for them (test/support/engines.ts).
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // Also on two cores: jest would leave one of them free, and so run one file after the other.
  maxWorkers: '100%',
  testTimeout: 30_000,
}
