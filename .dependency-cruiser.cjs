// The arrows of the house: who may import whom. test/house/architecture.test.ts runs this; so does `npx depcruise bench bin cli lambda lib local test`.
// The parser is swc: TypeScript 7 has no compiler API.

/** Node's modules that touch nothing. */
const PURE = '^(buffer|crypto|path|util)$'

/** Files of `path` import of the repository only `files`, of packages only `packages`, of Node's modules only `core`. */
const layer = (name, path, { files, packages, core = '.' }) => [
  {
    name: `${name}: files`,
    comment: `${name} may import ${files}`,
    severity: 'error',
    from: { path },
    to: { pathNot: [files, '^node_modules/'], dependencyTypesNot: ['core'] },
  },
  {
    name: `${name}: packages`,
    comment: `${name} may import the packages ${packages}`,
    severity: 'error',
    from: { path },
    to: { path: '^node_modules/', pathNot: `^node_modules/(${packages})/` },
  },
  {
    name: `${name}: node`,
    comment: `${name} may import of Node ${core}`,
    severity: 'error',
    from: { path },
    to: { dependencyTypes: ['core'], pathNot: core },
  },
]
const NONE = '-'

module.exports = {
  forbidden: [
    {
      name: 'no circle',
      comment: 'of values or types: what two files share has a file of its own',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not found',
      comment: 'the file is not there, or is named without its extension',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'not in package.json',
      comment: 'what is imported is a dependency. The SDK brings @smithy',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'unknown'], pathNot: '^node_modules/@(smithy|aws-sdk)/' },
    },
    ...layer('lambda/core', '^lambda/core/', { files: '^lambda/core/', packages: NONE, core: PURE }),
    // Inside of core, each folder stands on those before it.
    ...['events', 'model', 'queue', 'subscriptions', 'retained'].map((folder, i, all) => ({
      name: `lambda/core/${folder} rises`,
      comment: `it may import the files beside the folders${all
        .slice(0, i)
        .map((below) => `, ${below}/`)
        .join('')}`,
      severity: 'error',
      from: { path: `^lambda/core/${folder}/` },
      to: { path: '^lambda/core/[^/]+/', pathNot: `^lambda/core/(${all.slice(0, i + 1).join('|')})/` },
    })),
    {
      name: 'lambda/core stands on nothing',
      comment: 'its files import none of its folders',
      severity: 'error',
      from: { path: '^lambda/core/[^/]+$' },
      to: { path: '^lambda/core/[^/]+/' },
    },
    ...layer('actions', '^lambda/[^/]+$', { files: '^lambda/core/', packages: NONE, core: PURE }),
    ...layer('lambda/hooks', '^lambda/hooks/', { files: '^lambda/', packages: NONE, core: PURE }),
    ...layer('lambda/adapters', '^lambda/adapters/', { files: '^lambda/(core|adapters)/', packages: '@aws-sdk|@smithy' }),
    ...layer('lib', '^lib/', { files: '^(lib|lambda/core)/', packages: 'aws-cdk-lib|constructs|esbuild|jsonc-parser' }),
    ...layer('local', '^local/', { files: '^(local|lib|lambda/core)/', packages: '(?!@aws-sdk/|aws-cdk-lib/).+' }),
    // The commands look at a running backend from outside: no action. They share the handlers' stores.
    ...layer('cli', '^cli/', {
      files: '^(cli|lib|local|lambda/core|lambda/adapters/tables)/|^lambda/adapters/on-aws.ts$',
      packages: '(?!aws-cdk-lib/).+',
    }),
    ...layer('bin/build', '^bin/build/', { files: '^(bin/build|lib|lambda/core)/', packages: 'esbuild' }),
    ...layer('bin', '^bin/(?!build/)', { files: '^(bin|cli|lib|local|lambda/core)/', packages: '.+' }),
    {
      name: 'bench, bin/build, test',
      comment: 'are looked at by nobody but themselves',
      severity: 'error',
      from: { pathNot: '^(bench|bin/build|test)/' },
      to: { path: '^(bench|bin/build|test)/' },
    },
    {
      name: 'aws-cdk-lib by module',
      comment: 'all of it takes seconds to load',
      severity: 'error',
      from: {},
      to: { path: '^node_modules/aws-cdk-lib/index' },
    },
    {
      name: 'aws-cdk-lib',
      comment: 'is for bin/app.ts, lib and the tests of templates',
      severity: 'error',
      from: { pathNot: '^(bin/app\\.ts$|lib/|test/(lib|cli|support|end-to-end)/)' },
      to: { path: '^node_modules/aws-cdk-lib/' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
}
