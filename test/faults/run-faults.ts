/** `npm run faults`: every fault at every call of every handler, on Maps or on a DynamoDB engine. */
import { parseArgs } from 'node:util'
import { startEmbedded } from '../../local/dynamodb/embedded.ts'
import { startDynamoDbLocal } from '../../local/dynamodb/local.ts'
import { clientFor, createTables } from '../support/engines.ts'
import { type Failure, failureOf, faultAt, pairs, SCENARIOS, singles } from './campaign.ts'
import { onEngine } from './engine-ground.ts'
import { type Case, type Ground, onMaps, type Prepared, prepare } from './run-case.ts'
import { clientsOnWire } from './wire.ts'

const HELP = `Usage: npm run faults -- [OPTIONS]

Runs every handler with everything that can go wrong at every call of the SDK, shows the event again
until the queues are empty, and checks the invariants of the tables and of what the clients got.

  --engine NAME     maps (default: in this process, fast), embedded, or local (DynamoDB Local)
  --scenario TEXT   only scenarios whose name contains it (may be repeated)
  --pairs N         of each scenario also N pairs of faults (default: 0)
  --seed N          of the pairs (default: 1)
  --fault NAME@CALL just this case, told in full: a fault and the number of the call. NAME@CALL/2: in
                    the event's second receive. May be repeated; wants one --scenario
  --again WHO       with --fault, or instead: the event is received once more afterwards:
                    'itself' or 'a copy'
  --every N         only each Nth case (default: 1)
  --list            the scenarios and how many calls each makes
  --help

Progress goes to stderr. Exit status: 0 everything held, 1 something did not, 2 wrong usage.
`

interface Options {
  readonly engine: 'maps' | 'embedded' | 'local'
  readonly scenarios: typeof SCENARIOS
  readonly pairs: number
  readonly seed: number
  readonly every: number
  readonly faults: readonly string[]
  readonly again: Case['again']
  readonly list: boolean
}

async function main(args: string[]): Promise<number> {
  let options: Options | undefined
  try {
    options = read(args)
  } catch (error) {
    process.stderr.write(`faults: ${(error as Error).message} (see --help)\n`)
    return 2
  }
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  const { ground, close } = await groundFor(options.engine)
  try {
    if (options.list) return await list(options, ground)
    if (options.faults.length > 0 || options.again !== undefined) return await replay(options, ground)
    return await campaign(options, ground)
  } finally {
    await close()
  }
}

function read(args: string[]): Options | undefined {
  const text = { type: 'string' } as const
  const many = { type: 'string', multiple: true } as const
  const flag = { type: 'boolean' } as const
  const flags = { engine: text, scenario: many, pairs: text, seed: text, fault: many, again: text, every: text, list: flag, help: flag }
  const { values } = parseArgs({ args, options: flags })
  if (values.help) return undefined
  const { engine = 'maps', again } = values
  if (engine !== 'maps' && engine !== 'embedded' && engine !== 'local') throw wrong('engine', engine, 'maps, embedded or local')
  if (again !== undefined && again !== 'itself' && again !== 'a copy') throw wrong('again', again, "'itself' or 'a copy'")
  const wanted = values.scenario ?? ['']
  const named = (part: string) => SCENARIOS.filter(({ name }) => name === part)
  const chosen = wanted.flatMap((part) => (named(part).length > 0 ? named(part) : SCENARIOS.filter(({ name }) => name.includes(part))))
  const scenarios = [...new Set(chosen)]
  if (scenarios.length === 0) throw wrong('scenario', wanted.join(', '), 'part of a name that --list shows')
  if ((values.fault || again) && scenarios.length !== 1) throw wrong('scenario', `${scenarios.length} scenarios`, 'one, to replay a case')
  return {
    engine,
    scenarios,
    again,
    pairs: whole('pairs', values.pairs ?? '0', 0),
    seed: whole('seed', values.seed ?? '1', 0),
    every: whole('every', values.every ?? '1', 1),
    faults: values.fault ?? [],
    list: values.list ?? false,
  }
}

const wrong = (name: string, got: string, wanted: string) => new Error(`--${name}: got '${got}', wanted ${wanted}`)

function whole(name: string, text: string, least: number): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < least) throw wrong(name, text, `a whole number from ${least}`)
  return Number(text)
}

async function groundFor(engine: Options['engine']): Promise<{ ground: Ground; close: () => Promise<void> }> {
  if (engine === 'maps') return { ground: onMaps(clientsOnWire({ hasty: true })), close: async () => {} }
  const anywhere = { host: '127.0.0.1', port: 0 }
  const started = engine === 'embedded' ? await startEmbedded(anywhere) : await startDynamoDbLocal(anywhere)
  const client = clientFor(started.url)
  const close = async () => {
    client.destroy()
    await started.close()
  }
  return { ground: onEngine({ url: started.url, client, tables: await createTables({ client }) }), close }
}

async function list({ scenarios }: Options, ground: Ground): Promise<number> {
  for (const scenario of scenarios) {
    const { calls } = await prepare(scenario, ground)
    console.log(`${scenario.name} (${calls.length} calls)`)
  }
  return 0
}

async function replay({ scenarios, faults, again }: Options, ground: Ground): Promise<number> {
  const prepared = await prepare(scenarios[0]!, ground)
  let one: Case
  try {
    one = { faults: faults.map((spelling) => faultAt(prepared, spelling)), ...(again && { again }) }
  } catch (error) {
    process.stderr.write(`faults: ${(error as Error).message}\n`)
    return 2
  }
  const { failure } = await failureOf(prepared, ground, one)
  console.log(failure?.told ?? 'everything held')
  return failure === undefined ? 0 : 1
}

async function campaign(options: Options, ground: Ground): Promise<number> {
  const { scenarios, every, pairs: howMany, seed } = options
  const started = Date.now()
  const total = { calls: 0, cases: 0, made: 0, dangling: 0 }
  const families = new Map<string, number>()
  const failures: Failure[] = []
  for (const [n, scenario] of scenarios.entries()) {
    const prepared = await prepare(scenario, ground)
    total.calls += prepared.calls.length
    const cases = casesOf(prepared, howMany, seed).filter((_, i) => i % every === 0)
    for (const [i, one] of cases.entries()) {
      const { verdict, failure } = await failureOf(prepared, ground, one)
      total.cases++
      total.made += verdict.calls
      if (verdict.dangling > 0) total.dangling++
      for (const family of one.faults.length > 0 ? one.faults.map(({ fault }) => fault.family) : ['duplicate']) {
        families.set(family, (families.get(family) ?? 0) + 1)
      }
      if (failure !== undefined) failures.push(failure)
      progress({ done: n + (i + 1) / cases.length, of: scenarios.length, said: `${scenario.name}, ${failures.length} failed` })
    }
  }
  progress()
  report(failures)
  const seconds = (Date.now() - started) / 1000
  console.log(
    `${scenarios.length} scenarios of ${total.calls} calls; ${total.cases} cases on ${options.engine}, ${total.made} calls, ${seconds.toFixed(0)} s`,
  )
  console.log(`faults: ${[...families].map(([family, count]) => `${family} ${count}`).join(', ')}`)
  console.log(`${total.dangling} cases left a name without a message at rest, each cleaned by the next subscriber`)
  console.log(`${failures.length} failed`)
  return failures.length === 0 ? 0 : 1
}

const casesOf = (prepared: Prepared, howMany: number, seed: number): Case[] => [
  ...singles(prepared, { twins: true }),
  ...pairs(prepared, howMany, seed),
]

/** The first of each kind in full. */
function report(failures: readonly Failure[]): void {
  const kinds = new Map<string, Failure[]>()
  for (const failure of failures) {
    const kind = `${failure.scenario}: ${failure.verdict.violations[0]?.replace(/\d+/g, '*')}`
    kinds.set(kind, [...(kinds.get(kind) ?? []), failure])
  }
  for (const [, some] of kinds) console.log(`${some[0]!.told}\n${some.length} such\n`)
}

let shown = 0
/** Of a bar that is redrawn; without a terminal a line now and then. Nothing: it is over. */
function progress(at?: { done: number; of: number; said: string }): void {
  const { stderr } = process
  if (at === undefined) return void (stderr.isTTY && stderr.write('\r\u001b[K'))
  if (Date.now() - shown < (stderr.isTTY ? 100 : 10_000)) return
  shown = Date.now()
  const filled = Math.round((at.done / at.of) * 30)
  const bar = `[${'#'.repeat(filled)}${' '.repeat(30 - filled)}] ${Math.floor((at.done / at.of) * 100)} % ${at.said}`
  stderr.write(stderr.isTTY ? `\r\u001b[K${bar.slice(0, 120)}` : `${bar}\n`)
}

process.exitCode = await main(process.argv.slice(2))
