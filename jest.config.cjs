const { availableParallelism } = require('node:os')

module.exports = {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/transform.cjs' },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out', '<rootDir>/.cache', '<rootDir>/dist'],
  // DynamoDB engines for the suites that ask for them (test/support/engines.ts).
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  testSequencer: '<rootDir>/test/support/sequencer.cjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // Half again as many as cores: who waits for a process, a queue or a time-out leaves a core to another suite.
  // As a number: jest reads '150%' as 150 workers.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  testTimeout: 30_000,
  // Jest looks a global up through a proxy each time; as parameters of each module they cost nothing: a third of the CPU of test/faults.
  // Names that a package declares anew are not for it: readable-stream has Boolean, Error, Number, Promise, String and Symbol.
  sandboxInjectedGlobals: ['Array', 'BigInt', 'JSON', 'Map', 'Math', 'Object', 'RegExp', 'Set', 'TypeError', 'WeakMap'],
}
