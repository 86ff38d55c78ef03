/** `npm run bench`: what the README's figures come from. Each block checks its own result before it reports a figure. */
import { join } from 'node:path'
import { BackendError } from '../lambda/core/errors.ts'
import { backlog } from './backlog.ts'
import { batchUnits } from './batch-units.ts'
import { coldStart } from './cold-start.ts'
import { type BenchCommand, helpOf, parseCommand } from './command-line.ts'
import { connectionUnits } from './connection-units.ts'
import { cpu } from './cpu.ts'
import { delivery } from './delivery.ts'
import { deliveryUnits } from './delivery-units.ts'
import { depth } from './depth.ts'
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
  'cold-start': coldStart,
}

const ROOT = join(import.meta.dirname, '..')

async function main(args: string[]): Promise<number> {
  try {
    const command = parseCommand(args, Object.keys(BLOCKS))
    if (command === 'help') {
      process.stdout.write(helpOf(Object.keys(BLOCKS)))
      return 0
    }
    return await (command.from === undefined ? measure(command) : show(command.from, command))
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    say(error.code === 'usage' ? `${error.message} (see --help)` : error.message)
    return error.code === 'usage' ? 2 : 1
  }
}

function show(file: string, command: BenchCommand): number {
  const results = readResults(file)
  print(results, command)
  if (command.plot) draw(results)
  return 0
}

async function measure(command: BenchCommand): Promise<number> {
  const file = join(ROOT, RESULTS_FILE)
  const results = (blocks: Results['blocks']): Results => ({ machine: thisMachine(), blocks })
  const withOthers = (blocks: Results['blocks']): Results => merged(file, results(blocks), command.only)
  // What could not be saved in the end is not measured first.
  if (command.save || command.plot) withOthers({})
  // Of what is running, whatever is changed meanwhile.
  const commit = commitOf(ROOT)
  const blocks: Record<string, BlockResult> = {}
  for (const [i, name] of command.only.entries()) {
    const figures = await ran(name, `[${i + 1}/${command.only.length}] ${name}`, command)
    if (figures === undefined) continue
    blocks[name] = { date: new Date().toISOString(), ...(commit === undefined ? {} : { commit }), figures }
    if (command.save) saveResults(file, withOthers(blocks))
  }
  print(results(blocks), command)
  if (command.plot) draw(withOthers(blocks))
  const isGood = (name: string) => blocks[name]?.figures.every(({ reached }) => reached !== false)
  return command.only.every(isGood) ? 0 : 1
}

/** `undefined`: it failed, which was said. */
async function ran(name: string, title: string, { quick, port }: BenchCommand): Promise<Figure[] | undefined> {
  const began = performance.now()
  const progress = (line: string) => process.stderr.write(`${title}: ${line}\n`)
  progress('begins')
  try {
    const figures = await BLOCKS[name]!({ quick, progress, port })
    progress(`${figures.length} figures after ${((performance.now() - began) / 1000).toFixed(0)} s`)
    return figures
  } catch (error) {
    progress(`failed, no figure: ${(error as Error).message}`)
    return undefined
  }
}

function print(results: Results, { json }: BenchCommand): void {
  process.stdout.write(json ? asJson(results) : tableOf(Object.values(results.blocks).flatMap(({ figures }) => figures)))
}

function draw(results: Results): void {
  for (const file of writeDocuments(ROOT, results)) say(`wrote ${file}`)
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`)
}

process.exitCode = await main(process.argv.slice(2))
