/** The flags of `npm run fuzz`. */
import { newScript, type OptionsOf } from '../../cli/command-line/run-command.ts'
import { oneOf, whole } from '../../cli/command-line/values.ts'

/** What is fuzzed, and with what. Without what it takes to do so: a wrong flag is said at once. */
export const FUZZED = {
  events: 'hostile events to the handlers of all hooks, on the embedded DynamoDB',
  names: 'clients and topics of any name, from connect to disconnect, compared with plain ones',
  conf: 'confs of broken lines, keys and JSON; credentials never repeated',
  sql: 'rule SQL of pieces in any order, and what is compiled of it run on messages',
  json: "the conf's JSON reader, held to JSON.parse",
  mqtt: 'MQTT conversations with bytes changed and cut, to the broker on a raw socket',
  'data-plane': 'HTTP requests with bytes changed and cut, to the IoT data plane',
  dynamodb: "requests in DynamoDB's words that make no sense, to the embedded DynamoDB",
} as const
const NAMES = Object.keys(FUZZED) as (keyof typeof FUZZED)[]

const ABOUT = `Feeds handlers, parsers and the servers of the local run with hostile input. What breaks is printed with the
input, as small as it can be found, and its seed.`

const AFTER = `
What --only may be:
${Object.entries(FUZZED)
  .map(([name, about]) => `  ${name.padEnd(12)}${about}`)
  .join('\n')}

Exit status: 0 nothing broke, 1 something did, 2 wrong use.`

export const flags = () =>
  newScript('fuzz', ABOUT)
    .option('--runs <N>', 'inputs for each', whole(1, 999_999_999), 1000)
    .option('--seed <N>', 'the same inputs for the same seed; default: another one each time', whole(0, 2 ** 31 - 1))
    .option('--only <NAME>', 'one kind only', oneOf(...NAMES))
    .addHelpText('after', AFTER)

export type FuzzFlags = OptionsOf<typeof flags>
