/** `npm run faults`: every fault at every call of every handler, on Maps or on a DynamoDB engine. */
import { Progress } from '../../cli/command-line/progress.ts'
import { exits, runCommand } from '../../cli/command-line/run-command.ts'
import { startEmbedded } from '../../local/dynamodb/embedded.ts'
import { startDynamoDbLocal } from '../../local/dynamodb/local.ts'
import { clientFor, createTables } from '../support/engines.ts'
import { type Failure, failureOf, faultAt, pairs, singles } from './campaign.ts'
import { onEngine } from './engine-ground.ts'
import { type FaultsFlags, flags, scenariosOf } from './faults-flags.ts'
import { type Case, type Ground, onMaps, type Prepared, prepare } from './run-case.ts'
import type { Scenario } from './scenario.ts'
import { clientsOnWire } from './wire.ts'

await runCommand(flags().action(exits(faults)), process.argv.slice(2))

async function faults(options: FaultsFlags): Promise<number> {
  const scenarios = scenariosOf(options)
  const { ground, close } = await groundFor(options.engine)
  try {
    if (options.list) return await list(scenarios, ground)
    if (options.fault !== undefined || options.again !== undefined) return await replay(scenarios[0]!, options, ground)
    return await campaign(scenarios, options, ground)
  } finally {
    await close()
  }
}

async function groundFor(engine: FaultsFlags['engine']): Promise<{ ground: Ground; close: () => Promise<void> }> {
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

async function list(scenarios: readonly Scenario[], ground: Ground): Promise<number> {
  for (const scenario of scenarios) {
    const { calls } = await prepare(scenario, ground)
    console.log(`${scenario.name} (${calls.length} calls)`)
  }
  return 0
}

async function replay(scenario: Scenario, { fault = [], again }: FaultsFlags, ground: Ground): Promise<number> {
  const prepared = await prepare(scenario, ground)
  const one: Case = { faults: fault.map((spelling) => faultAt(prepared, spelling)), ...(again && { again }) }
  const { failure } = await failureOf(prepared, ground, one)
  console.log(failure?.told ?? 'everything held')
  return failure === undefined ? 0 : 1
}

async function campaign(scenarios: readonly Scenario[], options: FaultsFlags, ground: Ground): Promise<number> {
  const { every, pairs: howMany, seed } = options
  const progress = new Progress('faults')
  progress.begin('scenarios', scenarios.length)
  const total = { calls: 0, cases: 0, made: 0, dangling: 0 }
  const families = new Map<string, number>()
  const failures: Failure[] = []
  for (const [n, scenario] of scenarios.entries()) {
    const prepared = await prepare(scenario, ground)
    total.calls += prepared.calls.length
    const cases = casesOf(prepared, howMany, seed).filter((_, i) => i % every === 0)
    for (const one of cases) {
      const { verdict, failure } = await failureOf(prepared, ground, one)
      total.cases++
      total.made += verdict.calls
      if (verdict.dangling > 0) total.dangling++
      for (const family of one.faults.length > 0 ? one.faults.map(({ fault }) => fault.family) : ['duplicate']) {
        families.set(family, (families.get(family) ?? 0) + 1)
      }
      if (failure !== undefined) failures.push(failure)
      progress.at(n, `${scenario.name}, ${failures.length} failed`)
    }
  }
  progress.end()
  report(failures)
  console.log(
    `${scenarios.length} scenarios of ${total.calls} calls; ${total.cases} cases on ${options.engine}, ${total.made} calls, ${progress.seconds.toFixed(0)} s`,
  )
  console.log(`faults: ${[...families].map(([family, count]) => `${family} ${count}`).join(', ')}`)
  console.log(`${total.dangling} cases left a name without a message at rest, each cleaned by the next subscriber`)
  console.log(`${failures.length} failed`)
  return failures.length === 0 ? 0 : 1
}

function casesOf(prepared: Prepared, howMany: number, seed: number): Case[] {
  return [...singles(prepared, { twins: true }), ...pairs(prepared, howMany, seed)]
}

/** The first of each kind in full. */
function report(failures: readonly Failure[]): void {
  const kinds = new Map<string, Failure[]>()
  for (const failure of failures) {
    const kind = `${failure.scenario}: ${failure.verdict.violations[0]?.replace(/\d+/g, '*')}`
    kinds.set(kind, [...(kinds.get(kind) ?? []), failure])
  }
  for (const [, some] of kinds) console.log(`${some[0]!.told}\n${some.length} such\n`)
}
