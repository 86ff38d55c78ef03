/** The flags of `npm run platforms`. */
import { newScript, type OptionsOf } from '../../cli/command-line/run-command.ts'
import { oneOf, repeated } from '../../cli/command-line/values.ts'

/** The newest release of each is taken. */
export const NODES = ['20', '22', '24'] as const
export type NodeLine = (typeof NODES)[number]

/** What is tried, in this order. */
export const TRIED = {
  install: 'npm install of the tarball, in a path with spaces and umlauts',
  start: '`npx mqtt-dynamodb start`: ready, a publish is stored, it ends',
  again: '`start` once more, from what it kept',
  demo: '`npx mqtt-dynamodb demo`',
  template: '`npx mqtt-dynamodb template`',
  app: 'the app of `npx mqtt-dynamodb init`: types, and `npx cdk synth` in 15 s',
  home: '`start` as a user whose home is read-only (mode 0555)',
  pnpm: 'pnpm: install and `start`',
  yarn: 'yarn: install and `start`',
  tests: '`npm run test:fast` of the repository',
} as const
export type TrialName = keyof typeof TRIED
const NAMES = Object.keys(TRIED) as TrialName[]

const ABOUT = `Tries the package as npm pack makes it on several versions of Node, each with the npm that it brings, and with pnpm
and yarn. They are installed under .cache/platforms. Prints a table: what held, what failed, what was skipped and why.`

const AFTER = `
What --only may be:
${NAMES.map((name) => `  ${name.padEnd(10)}${TRIED[name]}`).join('\n')}
What a trial needs (install) is done anyway.

Exit status: 0 nothing failed, 1 something did, 2 wrong use.`

export const flags = () =>
  newScript('platforms', ABOUT)
    .option('--node <VERSION>', 'one version only; may be repeated', repeated(oneOf(...NODES)))
    .option('--only <NAME>', 'one trial only; may be repeated', repeated(oneOf(...NAMES)))
    .addHelpText('after', AFTER)

export type PlatformsFlags = OptionsOf<typeof flags>
