module.exports = {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: { '\\.ts$': '<rootDir>/test/transform.cjs' },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/.cache'],
  // DynamoDB engines for the suites that ask for them (test/engines.ts).
  globalSetup: '<rootDir>/test/global-setup.ts',
  globalTeardown: '<rootDir>/test/global-teardown.ts',
  // Also on two cores: jest would leave one of them free, and so run one file after the other.
  maxWorkers: '100%',
  testTimeout: 30_000,
}
