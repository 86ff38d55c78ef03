/** The flags of `npm run bench`. */
import { Option } from '@commander-js/extra-typings'
import { newScript, type OptionsOf } from '../cli/command-line/run-command.ts'
import { existingFile, oneOf, port, repeated } from '../cli/command-line/values.ts'
import { RESULTS_FILE } from './results.ts'

const ABOUT = `Measures on this machine, in one run, and prints each figure beside what it is compared with, ratios first.
Competitors take turns; medians are compared. A block checks what it did (counts, order, contents)
before it reports: one that failed has no figure.`

const AFTER = `
Everything again, for the repository: npm run bench -- --save --plot
Progress goes to stderr. The blocks that count units need DynamoDB Local (Java >= 17 and
Maven): only it counts capacity as AWS does.
Exit status: 0 all figures reach their targets (with --from: the file was read), 1 one does not or a block failed, 2 wrong use.`

/** @param blocks the names of all */
export const flags = (blocks: readonly string[]) =>
  newScript('bench', ABOUT)
    .option('--only <NAME>', 'one block only', repeated(oneOf(...blocks)))
    .addOption(new Option('--quick', 'smaller numbers, to see that it works; not for quoting').conflicts(['save', 'plot']))
    .option('--json', 'the figures as JSON on stdout instead of the table')
    .option('--save', `writes them to ${RESULTS_FILE}; blocks that were not run stay as they are there`)
    .option(
      '--plot',
      `draws docs/charts/*.svg and fills the tables of README.md and docs/performance.md: from this run and what ${RESULTS_FILE} has besides`,
    )
    .addOption(
      new Option('--from <FILE>', 'runs nothing: the figures of a file that --save or --json wrote')
        .argParser(existingFile)
        .conflicts(['only', 'quick', 'save']),
    )
    .option('--port <N>', 'of DynamoDB Local; 0: any free one', port, 0)
    .addHelpText('after', AFTER)

export type BenchFlags = OptionsOf<typeof flags>
