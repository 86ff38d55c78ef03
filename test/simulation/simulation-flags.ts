/** The flags of `npm run simulate` and `npm run mutants`. */
import { availableParallelism } from 'node:os'
import { InvalidArgumentError } from '@commander-js/extra-typings'
import { newScript, type OptionsOf } from '../../cli/command-line/run-command.ts'
import { type Reader, reader, seed, whole } from '../../cli/command-line/values.ts'
import { MUTANTS } from './mutants.ts'
import { type Plan, parsePlan } from './plan.ts'

const count = whole(1, 999_999_999)
const jobs = whole(1, 1_000)

const SIMULATE = `The real handlers and stores under interleavings, faults, crashes and misbehaving clients that a seed decides.
With --runs a campaign of so many histories, with seeds from --seed on; without it one history, and
all that happened in it.`

export const simulateFlags = () =>
  newScript('simulate', SIMULATE)
    .option('--seed <S>', 'of the history, or of the first one; default: 1', plan)
    .option('--runs <N>', 'histories of a campaign', count)
    .option('--jobs <N>', 'processes; default: one for each core', jobs, availableParallelism())
    .option('--tries <N>', 'histories spent on making a failed one shorter; 0: none', whole(0, 999_999_999), 2000)
    .option('--verbose', 'of one history, every operation of DynamoDB too')
    .addHelpText('after', '\nExit status: 0 nothing is violated, 1 an invariant is, 2 wrong use.')

/** As a failed history prints it. */
const plan: Reader<Plan> = Object.assign(
  (got: string): Plan => {
    try {
      return parsePlan(got)
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message)
    }
  },
  { wanted: 'a whole number, or SEED/SCHEDULE/STEPS/WITHOUT as a failed history prints it' },
)

export type SimulateFlags = OptionsOf<typeof simulateFlags>

const mutantName = reader("a part of a mutant's name", (got) => (MUTANTS.some(({ name }) => name.includes(got)) ? got : undefined))

export const mutantsFlags = () =>
  newScript('mutants', 'The product with one fault built in at a time, and what the simulation says of it.')
    .option('--only <TEXT>', 'mutants whose name has it', mutantName)
    .option('--runs <N>', 'histories to look in; default: as many as the mutant needs, mostly 1000', count)
    .option('--seed <N>', "the first one's seed", seed, 1)
    .option('--jobs <N>', 'processes; default: one for each core', jobs, availableParallelism())
    .addHelpText('after', '\nExit status: 0 every mutant is found, 1 one survives, 2 wrong use.')

export type MutantsFlags = OptionsOf<typeof mutantsFlags>
