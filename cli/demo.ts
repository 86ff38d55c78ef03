/** `npm run demo`: walks through EMQX's page on a local stack, with real MQTT clients, and shows the rows as the page prints them. */
import { parseArgs } from 'node:util'
import { startLocalStack } from '../local/stack.ts'
import { localGround } from './demo/local-ground.ts'
import { Stage } from './demo/stage.ts'
import { STEPS } from './demo/steps.ts'

const USAGE = `Usage: npm run demo [-- --dynamodb embedded|local]

Starts the local stack on free ports and walks through EMQX's page: presence, a server-side
subscription, offline messages, retained messages, a binary payload. Shows each step and its rows.
Exit status: 0 every step held, 1 one did not, 2 wrong usage.
`

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  let engine: string | undefined
  try {
    const { values } = parseArgs({ args, options: { dynamodb: { type: 'string' }, help: { type: 'boolean' } } })
    if (values.help) {
      process.stdout.write(USAGE)
      return 0
    }
    engine = values.dynamodb
    if (engine !== undefined && engine !== 'embedded' && engine !== 'local')
      throw new Error(`--dynamodb ${engine}, wanted embedded or local`)
  } catch (error) {
    process.stderr.write(`demo: ${(error as Error).message} (see --help)\n`)
    return 2
  }
  return walk(engine)
}

async function walk(dynamodb: string | undefined): Promise<number> {
  const stack = await startLocalStack(dynamodb === undefined ? {} : { dynamodb })
  const ground = localGround(stack)
  const stage = new Stage(ground)
  try {
    for (const step of STEPS) await step(stage)
  } finally {
    await stage.close()
    ground.database.destroy()
    await stack.close()
  }
  process.stdout.write(`\n${stage.held} of ${stage.checked} checks held\n`)
  return stage.held === stage.checked ? 0 : 1
}
