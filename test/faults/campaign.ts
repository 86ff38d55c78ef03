/** Every scenario, every call, every fault that fits it; and pairs of them, drawn from a seed. */
import { wrongUse } from '../../cli/command-line/run-command.ts'
import { Random } from '../simulation/random.ts'
import type { Fault } from './fault.ts'
import { FAULTS, rival } from './fault-kinds.ts'
import { type Case, type Ground, type Prepared, runCase, type Verdict } from './run-case.ts'
import type { Scenario } from './scenario.ts'
import { CONNECTED } from './scenarios/connected.ts'
import { DELIVERED } from './scenarios/delivered.ts'
import { ENDED } from './scenarios/ended.ts'
import { PUBLISH } from './scenarios/publish.ts'
import { SLICED } from './scenarios/sliced.ts'
import { SUBSCRIBED } from './scenarios/subscribed.ts'
import { described } from './sdk-call.ts'

export const SCENARIOS: readonly Scenario[] = [...PUBLISH, ...DELIVERED, ...SLICED, ...SUBSCRIBED, ...CONNECTED, ...ENDED]

const faultsOf = ({ setting }: Prepared): Fault[] => [...FAULTS, ...Object.keys(setting.rivals ?? {}).map(rival)]

/** What can go wrong once in the scenario. `twins`: also what differs for the SDK alone. */
export function singles(prepared: Prepared, { twins }: { twins: boolean }): Case[] {
  const faults = faultsOf(prepared).filter(({ twin }) => twins || !twin)
  return [
    ...prepared.calls.flatMap((call) =>
      faults.filter((fault) => fault.fits(call)).map((fault) => ({ faults: [{ fault, at: call.index }] })),
    ),
    { faults: [], again: 'itself' },
    { faults: [], again: 'a copy' },
  ]
}

/** Two things that go wrong, the second in the same receive or the next. After the first fault the scenario may make other calls. */
export function pairs(prepared: Prepared, count: number, seed: number): Case[] {
  const random = new Random(seed)
  const all = singles(prepared, { twins: false }).filter(
    ({ faults, again }) => again === undefined && !faults[0]!.fault.name.startsWith('rival'),
  )
  if (all.length === 0) return []
  return Array.from({ length: count }, () => {
    const [a, b] = [random.pick(all).faults[0]!, random.pick(all).faults[0]!]
    return { faults: [a, random.chance(0.5) ? b : { ...b, receive: 2 as const }] }
  })
}

/** One fault as the command line takes it: `throttled@3`, in the second receive `throttled@3/2`. */
const spelled = ({ faults, again }: Case): string[] => [
  ...faults.flatMap(({ fault, at, receive }) => ['--fault', `'${fault.name}@${at}${receive === undefined ? '' : `/${receive}`}'`]),
  ...(again === undefined ? [] : ['--again', `'${again}'`]),
]

/** The fault of that spelling. @throws BackendError `usage` */
export function faultAt(prepared: Prepared, spelling: string): Case['faults'][number] {
  const [, name, at, receive] = /^(.*)@(\d+)(\/2)?$/.exec(spelling) ?? []
  const fault = faultsOf(prepared).find((one) => one.name === name)
  const names = faultsOf(prepared).map((one) => one.name)
  if (fault === undefined) throw wrongUse(`--fault is ${JSON.stringify(spelling)}, wanted NAME@CALL, NAME one of: ${names.join('; ')}`)
  return { fault, at: Number(at), ...(receive && { receive: 2 as const }) }
}

export interface Failure {
  readonly scenario: string
  readonly one: Case
  readonly verdict: Verdict
  /** The whole story, for a reader. */
  readonly told: string
}

/** Runs a case; where something does not hold, runs it once more to tell how it came. */
export async function failureOf(
  prepared: Prepared,
  ground: Ground,
  one: Case,
): Promise<{ readonly verdict: Verdict; readonly failure?: Failure }> {
  const verdict = await runCase(prepared, ground, one)
  if (verdict.violations.length === 0) return { verdict }
  const { history } = await runCase(prepared, ground, one, { verbose: true })
  const scenario = prepared.setting.scenario.name
  const where = one.faults.map(({ fault, at, receive = 1 }) => {
    const call = prepared.calls[at]
    return `fault: ${fault.name}, receive ${receive}, call ${call === undefined ? at : described(call)}`
  })
  const told = [
    ...verdict.violations,
    `scenario: ${scenario}`,
    ...where,
    'history:',
    ...history.map((line) => `  ${line}`),
    `replay: npm run faults -- --scenario '${scenario}' ${spelled(one).join(' ')}`,
  ]
  return { verdict, failure: { scenario, one, verdict, told: told.join('\n') } }
}
