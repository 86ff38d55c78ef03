/** `npm run bench`: what the README's figures come from. Each block checks its own result before it reports a figure. */
import { parseArgs } from 'node:util'
import { backlog } from './backlog.ts'
import { coldStart } from './cold-start.ts'
import { cpu } from './cpu.ts'
import { delivery } from './delivery.ts'
import { depth } from './depth.ts'
import { publishRate } from './publish-rate.ts'
import type { Block, Figure } from './report.ts'
import { printTable } from './report.ts'
import { start } from './start.ts'
import { writeUnits } from './write-units.ts'

const BLOCKS: Readonly<Record<string, Block>> = {
  start,
  publish: publishRate,
  backlog,
  'write-units': writeUnits,
  depth,
  cpu,
  delivery,
  'cold-start': coldStart,
}

const USAGE = `Usage: npm run bench -- [--only NAME ...] [--quick] [--json]

Measures on this machine, in one run, and prints each figure beside what it is compared with.

  --only NAME   one block only (may be repeated): ${Object.keys(BLOCKS).join(', ')}
  --quick       smaller numbers, to see that it works; not for quoting
  --json        the figures as JSON on stdout instead of the table
  --help        this

Progress goes to stderr. write-units needs DynamoDB Local (Java >= 17 and Maven): only it counts capacity as AWS does.
Exit status: 0 all figures reach their targets, 1 one does not or a block failed, 2 wrong usage.
`

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const options = read(args)
  if (typeof options === 'string') {
    process.stderr.write(`bench: ${options} (see --help)\n`)
    return 2
  }
  if (options.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const figures: Figure[] = []
  let failed = false
  for (const name of options.only) {
    const progress = (line: string) => process.stderr.write(`${name}: ${line}\n`)
    try {
      figures.push(...(await BLOCKS[name]!({ quick: options.quick, progress })))
    } catch (error) {
      failed = true
      progress(`failed, no figure: ${(error as Error).message}`)
    }
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ date: new Date().toISOString(), node: process.version, figures }, null, 2)}\n`)
  else printTable(figures)
  return failed || figures.some(({ reached }) => reached === false) ? 1 : 0
}

function read(args: string[]): { only: string[]; quick: boolean; json: boolean; help: boolean } | string {
  const flag = { type: 'boolean', default: false } as const
  try {
    const { values } = parseArgs({ args, options: { only: { type: 'string', multiple: true }, quick: flag, json: flag, help: flag } })
    const unknown = values.only?.find((name) => !Object.hasOwn(BLOCKS, name))
    if (unknown !== undefined) return `--only ${unknown}: no such block, wanted one of ${Object.keys(BLOCKS).join(', ')}`
    return { ...values, only: values.only ?? Object.keys(BLOCKS) }
  } catch (error) {
    return (error as Error).message
  }
}
