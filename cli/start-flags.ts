/** The flags of `npm start`. */
import { BackendError } from '../lambda/core/errors.ts'
import type { Misbehaviours } from '../local/misbehaviour.ts'
import type { LocalStackOptions } from '../local/stack.ts'
import { parseFlags, wrongFlag } from './flags.ts'

export const HELP = `Usage: npm start -- [OPTIONS]

Runs the backend on this machine, with no AWS account: IoT Core's MQTT broker and
data plane, the rules of the synthesized template, and the handlers that deploy.

  --conf FILE           hook table (default: etc/emqx_backend_dynamo.conf)
  --host ADDRESS        to listen on (default: 127.0.0.1)
  --mqtt-port PORT      MQTT 3.1.1 and 5 (default: 1883; 0, here and below: any free port)
  --dynamodb-port PORT  (default: 8000)
  --data-port PORT      IoT data plane, plain HTTP (default: 8443)
  --dynamodb ENGINE     embedded (default), local (DynamoDB Local: needs Java 17 or
                        docker), or the URL of one that runs
  --data-dir DIR        keep between runs: the embedded engine's tables, retained
                        messages, unhandled events and dead letters, also when it
                        is killed. MQTT sessions are not kept (default: keep nothing)
  --retry-after SECONDS how long a failed event waits for its next try; in the cloud
                        that is the queue's visibility timeout (default: 1)
  --verbose             show what handlers log of their normal work
  --json                first line on stdout, when ready: one JSON object
                        {"mqtt":URL,"dynamodb":URL,"data":URL,"pid":NUMBER}
  --help

Misbehaviour on purpose; P is a probability from 0 to 1:
  --duplicate P         an event is queued twice
  --reorder P           an event is held back behind later ones
  --delay P             an event comes up to 2 seconds late
  --throttle P          a DynamoDB request is refused as throttled (embedded engine)
  --fail-action P       a rule cannot send to its queue: its error action is run
  --drop-puback P       the PUBACK of a direct message is not heard: 504, at once
  --seed N              the same misbehaviour for the same seed (default: 1)

On the data plane's port as well:
  GET  /local/health
  GET  /local/queues                     depths, dead letters, rule errors
  GET  /local/functions                  invocations under way
  POST /local/functions/NAME/kill        in the middle of them
  GET  /local/metrics                    what they count, as CloudWatch would
  GET  /local/misbehaviour               how often each has happened
  POST /local/events?topic=$aws/events/...  a lifecycle event, its JSON as the body
  SQS's JSON protocol: npm run redrive -- --endpoint http://localhost:8443

Exit status: 0 ended by SIGINT or SIGTERM, 1 could not start.
`

export interface LocalCommand extends LocalStackOptions {
  readonly help: boolean
  readonly json: boolean
  readonly verbose: boolean
}

const string = { type: 'string' } as const
const boolean = { type: 'boolean' } as const
const OPTIONS = {
  conf: string,
  host: string,
  'mqtt-port': string,
  'dynamodb-port': string,
  'data-port': string,
  dynamodb: string,
  'data-dir': string,
  'retry-after': string,
  duplicate: string,
  reorder: string,
  delay: string,
  throttle: string,
  'fail-action': string,
  'drop-puback': string,
  seed: string,
  verbose: boolean,
  json: boolean,
  help: { ...boolean, short: 'h' },
} as const

type Values = ReturnType<typeof parseFlags<typeof OPTIONS>>

/** @throws BackendError `usage` with one line */
export function parseCommand(args: readonly string[]): LocalCommand {
  const values = parseFlags(args, OPTIONS)
  const { conf, host = '127.0.0.1', dynamodb = 'embedded' } = values
  const misbehaviour = misbehaviourOf(values)
  if (!/^(embedded|local|https?:\/\/\S+)$/.test(dynamodb)) throw wrongFlag('dynamodb', dynamodb, 'embedded, local or a URL')
  if (misbehaviour.throttle > 0 && dynamodb !== 'embedded')
    throw wrongFlag('throttle', `${misbehaviour.throttle}`, 'the embedded engine with it')
  const dataDir = values['data-dir']
  if (host === '' || dataDir === '') throw new BackendError('usage', '--host and --data-dir want a value that is not empty')
  return {
    host,
    dynamodb,
    misbehaviour,
    mqttPort: whole(values, 'mqtt-port', { otherwise: 1883, most: 65_535 }),
    dynamodbPort: whole(values, 'dynamodb-port', { otherwise: 8000, most: 65_535 }),
    dataPort: whole(values, 'data-port', { otherwise: 8443, most: 65_535 }),
    seed: whole(values, 'seed', { otherwise: 1, most: 2 ** 32 - 1 }),
    retryAfterMs: number(values, 'retry-after', { otherwise: 1, most: 43_200, wanted: 'seconds from 0 to 43200' }) * 1000,
    ...(conf === undefined ? {} : { conf }),
    ...(dataDir === undefined ? {} : { dataDir }),
    verbose: values.verbose ?? false,
    json: values.json ?? false,
    help: values.help ?? false,
  }
}

function misbehaviourOf(values: Values): Misbehaviours {
  const chance = (name: 'duplicate' | 'reorder' | 'delay' | 'throttle' | 'fail-action' | 'drop-puback') =>
    number(values, name, { otherwise: 0, most: 1, wanted: 'a probability from 0 to 1' })
  return {
    duplicate: chance('duplicate'),
    reorder: chance('reorder'),
    delay: chance('delay'),
    throttle: chance('throttle'),
    failAction: chance('fail-action'),
    dropPuback: chance('drop-puback'),
  }
}

type Named = { [Name in keyof Values]: Values[Name] extends string | undefined ? Name : never }[keyof Values] & string

function number(values: Values, name: Named, { otherwise, most, wanted }: { otherwise: number; most: number; wanted: string }): number {
  const text = values[name]
  if (text === undefined) return otherwise
  const value = /^\d+(\.\d+)?$/.test(text as string) ? Number(text) : Number.NaN
  if (!(value <= most)) throw wrongFlag(name, `${text}`, wanted)
  return value
}

function whole(values: Values, name: Named, { otherwise, most }: { otherwise: number; most: number }): number {
  const wanted = `a whole number from 0 to ${most}`
  const value = number(values, name, { otherwise, most, wanted })
  if (!Number.isInteger(value)) throw wrongFlag(name, `${values[name]}`, wanted)
  return value
}
