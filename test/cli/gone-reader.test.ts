/** `mqtt-dynamodb ... | head -1`: the reader of stdout leaves before the command has written. No command crashes. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ended, startMqttDynamodb } from '../support/run-program.ts'

const COMMANDS = readdirSync(join(import.meta.dirname, '..', '..', 'cli')).flatMap((name) =>
  name.endsWith('.ts') ? [name.slice(0, -3)] : [],
)

const withoutReader = async (...args: string[]) => {
  const run = startMqttDynamodb(args)
  run.child.stdout!.destroy()
  const { status, err } = await ended(run)
  return { status, err }
}

test.each(COMMANDS)('%s --help', async (command) => {
  expect(await withoutReader(command, '--help')).toEqual({ status: 0, err: '' })
})

test.each([
  ['dead-letters list --help', 0],
  ['--version', 0],
  ['scale --publishes 100', 0],
  ['costs --publishes 1', 0],
  ['conf', 0],
])('%s ends with status %d', async (line, status) => {
  expect(await withoutReader(...line.split(' '))).toEqual({ status, err: '' })
})
