/** The flags of `npm run faults`. */
import { newScript, type OptionsOf, wrongUse } from '../../cli/command-line/run-command.ts'
import { oneOf, reader, repeated, seed, whole } from '../../cli/command-line/values.ts'
import { SCENARIOS } from './campaign.ts'
import type { Scenario } from './scenario.ts'

const ABOUT = `Runs every handler with everything that can go wrong at every call of the SDK, shows the event again until the
queues are empty, and checks the invariants of the tables and of what the clients got.`

const named = (part: string): readonly Scenario[] => SCENARIOS.filter(({ name }) => name === part)
const having = (part: string): readonly Scenario[] => SCENARIOS.filter(({ name }) => name.includes(part))
/** The scenario of that name; else those whose name contains it. */
const scenarios = reader('a part of a name that --list shows', (got) =>
  having(got).length === 0 ? undefined : named(got).length > 0 ? named(got) : having(got),
)
const many = whole(0, 999_999_999)

export const flags = () =>
  newScript('faults', ABOUT)
    .option('--engine <NAME>', 'maps is in this process and fast, local is DynamoDB Local', oneOf('maps', 'embedded', 'local'), 'maps')
    .option('--scenario <TEXT>', 'only scenarios whose name contains it', repeated(scenarios))
    .option('--pairs <N>', 'of each scenario also so many pairs of faults', many, 0)
    .option('--seed <N>', 'of the pairs', seed, 1)
    .option(
      '--fault <NAME@CALL>',
      "just this case, told in full: a fault and the number of the call. NAME@CALL/2: in the event's second receive. With one --scenario",
      repeated(reader('a fault and the number of a call', (got) => (/.@\d+(\/2)?$/.test(got) ? got : undefined))),
    )
    .option('--again <WHO>', 'with --fault, or instead: the event is received once more afterwards', oneOf('itself', 'a copy'))
    .option('--every <N>', 'only each Nth case', whole(1, 999_999_999), 1)
    .option('--list', 'the scenarios and how many calls each makes')
    .addHelpText('after', '\nProgress goes to stderr. Exit status: 0 everything held, 1 something did not, 2 wrong use.')

export type FaultsFlags = OptionsOf<typeof flags>

/** @throws BackendError `usage` where a case is to be played again and its scenario is not the only one */
export function scenariosOf({ scenario, fault, again }: FaultsFlags): readonly Scenario[] {
  const chosen = scenario === undefined ? SCENARIOS : [...new Set(scenario.flat())]
  const isReplay = fault !== undefined || again !== undefined
  if (isReplay && chosen.length !== 1) throw wrongUse(`--scenario chooses ${chosen.length} scenarios, wanted one, to replay a case`)
  return chosen
}
