// What nobody uses goes. test/house/exports.test.ts runs `npx knip`, and `npx knip --production --exports`, which does not count what tests use.
// "!" marks what the product and its bench are made of. What other packages import is marked `@public` in its comment.

/** A shape that an exported function takes or gives has a name, whether or not somebody imports it. */
const SHAPES = { interface: true, type: true }
/** A part that a file uses itself may be exported for its test. */
const FOR_TESTS = process.argv.includes('--production')

export default {
  entry: [
    'bin/*.{js,ts}!',
    // In the package they stand in the place of the file of their name; it also exports what they export.
    '**/*.shipped.ts!',
    'lib/public-{api,conf}.ts!',
    'cli/*.ts!',
    'lambda/hooks/*.ts!',
    'lambda/adapters/function/{environment-credentials,no-event-streams}.ts!',
    'local/dynamodb/worker.ts!',
    'bench/{bench,*-process}.ts!',
    'test/**/*{-command,-worker}.ts',
    'test/lib/importing-app.ts',
    'test/support/*.cjs',
  ],
  project: ['{bench,bin,cli,lambda,lib,local}/**/*.ts!', '!bin/build/**!', '{bin/build,test}/**/*.ts'],
  ignoreExportsUsedInFile: FOR_TESTS ? true : SHAPES,
  // Programs of the machine.
  ignoreBinaries: ['mvn', 'cfn-lint'],
  // test/house runs it; swc is its parser.
  ignoreDependencies: ['dependency-cruiser', '@swc/core'],
}
