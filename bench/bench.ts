/** `npm run bench`: what the README's figures come from. Each block checks its own result before it reports a figure. */
import { join } from 'node:path'
import { exits, runCommand } from '../cli/command-line/run-command.ts'
import { backlog } from './backlog.ts'
import { batchUnits } from './batch-units.ts'
import { type BenchFlags, flags } from './bench-flags.ts'
import { coldStart } from './cold-start.ts'
import { connectionUnits } from './connection-units.ts'
import { cpu } from './cpu.ts'
import { delivery } from './delivery.ts'
import { deliveryUnits } from './delivery-units.ts'
import { depth } from './depth.ts'
import { durable } from './durable.ts'
import { fleet } from './fleet.ts'
import { kept } from './kept.ts'
import { longQueue } from './long-queue.ts'
import { writeDocuments } from './pages.ts'
import { publishRate } from './publish-rate.ts'
import { publishUnits } from './publish-units.ts'
import { type Block, type Figure, tableOf } from './report.ts'
import { asJson, type BlockResult, commitOf, merged, RESULTS_FILE, type Results, readResults, saveResults, thisMachine } from './results.ts'
import { retainedUnits } from './retained-units.ts'
import { start } from './start.ts'
import { subscriberUnits } from './subscriber-units.ts'

const BLOCKS: Readonly<Record<string, Block>> = {
  start,
  publish: publishRate,
  backlog,
  'publish-units': publishUnits,
  'batch-units': batchUnits,
  'delivery-units': deliveryUnits,
  'retained-units': retainedUnits,
  'connection-units': connectionUnits,
  'subscriber-units': subscriberUnits,
  'long-queue': longQueue,
  depth,
  cpu,
  delivery,
  durable,
  fleet,
  kept,
  'cold-start': coldStart,
}

const ROOT = join(import.meta.dirname, '..')

const bench = async (command: BenchFlags): Promise<number> => (command.from === undefined ? measure(command) : show(command.from, command))

function show(file: string, command: BenchFlags): number {
  const results = readResults(file)
  print(results, command)
  if (command.plot) draw(results)
  return 0
}

async function measure(command: BenchFlags): Promise<number> {
  const only = Object.keys(BLOCKS).filter((name) => command.only?.includes(name) ?? true)
  const file = join(ROOT, RESULTS_FILE)
  const results = (blocks: Results['blocks']): Results => ({ machine: thisMachine(), blocks })
  const withOthers = (blocks: Results['blocks']): Results => merged(file, results(blocks), only)
  // What could not be saved in the end is not measured first.
  if (command.save || command.plot) withOthers({})
  // Of what is running, whatever is changed meanwhile.
  const commit = commitOf(ROOT)
  const blocks: Record<string, BlockResult> = {}
  for (const [i, name] of only.entries()) {
    const figures = await ran(name, `[${i + 1}/${only.length}] ${name}`, command)
    if (figures === undefined) continue
    blocks[name] = { date: new Date().toISOString(), ...(commit === undefined ? {} : { commit }), figures }
    if (command.save) saveResults(file, withOthers(blocks))
  }
  print(results(blocks), command)
  if (command.plot) draw(withOthers(blocks))
  const isGood = (name: string) => blocks[name]?.figures.every(({ reached }) => reached !== false)
  return only.every(isGood) ? 0 : 1
}

/** `undefined`: it failed, which was said. */
async function ran(name: string, title: string, { quick, port }: BenchFlags): Promise<Figure[] | undefined> {
  const began = performance.now()
  const progress = (line: string) => process.stderr.write(`${title}: ${line}\n`)
  progress('begins')
  try {
    const figures = await BLOCKS[name]!({ quick: quick === true, progress, port })
    progress(`${figures.length} figures after ${((performance.now() - began) / 1000).toFixed(0)} s`)
    return figures
  } catch (error) {
    progress(`failed, no figure: ${(error as Error).message}`)
    return undefined
  }
}

function print(results: Results, { json }: BenchFlags): void {
  process.stdout.write(json ? asJson(results) : tableOf(Object.values(results.blocks).flatMap(({ figures }) => figures)))
}

function draw(results: Results): void {
  for (const file of writeDocuments(ROOT, results)) say(`wrote ${file}`)
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`)
}

await runCommand(flags(Object.keys(BLOCKS)).action(exits(bench)), process.argv.slice(2))
