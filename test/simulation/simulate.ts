/**
 * Campaigns of histories: `npx tsx test/simulation/simulate.ts --runs N --seed N`. Prints each violation with its first seeds;
 * one run alone prints its whole history, every operation of DynamoDB in it.
 */
import { parseArgs } from 'node:util'
import { runHistory } from './history.ts'
import { MUTANTS } from './mutants.ts'

const HELP = `simulate: the real handlers under random interleavings, faults and crashes
  --runs N     histories (200)
  --seed N     the first one's seed (1); history n has seed + n
  --mutants    instead: look for each mutant's violation in so many histories
  --help       this`

const { values } = parseArgs({
  options: { runs: { type: 'string' }, seed: { type: 'string' }, mutants: { type: 'boolean' }, help: { type: 'boolean' } },
})
const runs = whole('runs', values.runs ?? '200')
const first = whole('seed', values.seed ?? '1')
if (values.help) console.log(HELP)
else process.exitCode = (await (values.mutants ? mutants() : campaign())) ? 0 : 1

function whole(name: string, text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text)
  throw new Error(`--${name}: got '${text}', wanted a whole number`)
}

async function campaign(): Promise<boolean> {
  const kinds = new Map<string, { seeds: number[]; example: string; count: number }>()
  const total = { messages: 0, operations: 0, bad: 0 }
  const started = Date.now()
  for (let seed = first; seed < first + runs; seed++) {
    const { violations, messages, operations, log } = await runHistory(seed, { verbose: runs === 1 })
    total.messages += messages
    total.operations += operations
    if (violations.length > 0) total.bad++
    for (const violation of violations) note(kinds, violation, seed)
    if (runs === 1) console.log([...log, ...violations].join('\n'))
  }
  for (const { count, seeds, example } of kinds.values()) console.log(`${count} times, seeds ${seeds.slice(0, 8)}: ${example}`)
  const seconds = (Date.now() - started) / 1000
  console.log(
    `${runs} histories, ${total.bad} with violations; ${total.messages} messages, ${total.operations} operations, ` +
      `${(runs / seconds).toFixed(1)} histories/s`,
  )
  return total.bad === 0
}

function note(kinds: Map<string, { seeds: number[]; example: string; count: number }>, violation: string, seed: number): void {
  const kind = violation.replace(/\d+/g, '*')
  const known = kinds.get(kind) ?? { seeds: [], example: violation, count: 0 }
  known.count++
  if (known.seeds.at(-1) !== seed) known.seeds.push(seed)
  kinds.set(kind, known)
}

async function mutants(): Promise<boolean> {
  let found = 0
  for (const mutant of MUTANTS) {
    let said: string | undefined
    let seed = first
    for (; said === undefined && seed < first + runs; seed++) {
      said = (await runHistory(seed, { mutant })).violations.find((violation) => mutant.violates.test(violation))
    }
    if (said !== undefined) found++
    console.log(`${mutant.name}: ${said === undefined ? `not found in ${runs} histories` : `seed ${seed - 1}: ${said}`}`)
  }
  return found === MUTANTS.length
}
