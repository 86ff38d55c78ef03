/** `mqtt-dynamodb start`: the whole backend on this machine. */
import { exits, newCommand, type OptionsOf, wrongUse } from './command-line/run-command.ts'
import { directory, existingFile, matching, number, port, reader, seed, share } from './command-line/values.ts'
import type { LocalRun } from './start/run-local-stack.ts'

const ABOUT = `Runs the backend on this machine, with no AWS account: IoT Core's MQTT broker and data plane, the
rules of the synthesized template, and the handlers that deploy.`

const AFTER = `
On the data plane's port as well:
  GET  /local/health                     and its other addresses
  GET  /local/conf                       its conf: the file, and the hook table as it works
  GET  /local/connections                how many clients are connected
  GET  /local/queues                     depths, dead letters, rule errors
  GET  /local/functions                  invocations under way
  POST /local/functions/NAME/kill        in the middle of them
  GET  /local/metrics                    what they count, as CloudWatch would
  GET  /local/misbehaviour               how often each has happened
  POST /local/events?topic=$aws/events/...  a lifecycle event, its JSON as the body
  SQS's JSON protocol: mqtt-dynamodb dead-letters list --endpoint http://localhost:8443

Exit status: 0 ended by SIGINT or SIGTERM, 1 could not start, 2 wrong use, or no CDK that it goes with.`

const address = reader('an address or a host name', (got) => (/^[^-\s]\S*$/.test(got) ? got : undefined))
const engine = matching('embedded, local or a URL', /^(embedded|local|https?:\/\/\S+)$/)
/** The probability that something goes wrong on purpose. */
const chance = share

export const flags = () =>
  newCommand('start', 'run the backend on this machine', ABOUT)
    .option('--conf <FILE>', 'the hook table; default: etc/emqx_backend_dynamo.conf', existingFile)
    .option('--host <ADDRESS>', 'to listen on', address, '127.0.0.1')
    .option('--mqtt-port <PORT>', 'MQTT 3.1.1 and 5; 0, here and below: any free port', port, 1883)
    .option('--dynamodb-port <PORT>', 'DynamoDB', port, 8000)
    .option('--data-port <PORT>', 'IoT data plane, plain HTTP', port, 8443)
    .option('--console-port <PORT>', 'the console, a page for the browser, on 127.0.0.1; another free port where it is taken', port, 8080)
    .option('--dynamodb <ENGINE>', 'local is DynamoDB Local, which needs Java 17 or docker; a URL is one that runs', engine, 'embedded')
    .option(
      '--data-dir <DIR>',
      "keep between runs, also when it is killed: the embedded engine's tables, retained messages, unhandled events and dead letters; MQTT sessions are not kept. Default: keep nothing",
      directory,
    )
    .option(
      '--retry-after <S>',
      "seconds until a failed event's next try; in the cloud the queue's visibility timeout",
      number(0, 43_200),
      1,
    )
    .option('--verbose', 'show what handlers log of their normal work')
    .option('--json', 'first line on stdout, when ready: one JSON object {"mqtt":URL,"dynamodb":URL,"data":URL,"console":URL,"pid":NUMBER}')
    .optionsGroup('Misbehaviour on purpose, each with a probability:')
    .option('--duplicate <P>', 'an event is queued twice', chance, 0)
    .option('--reorder <P>', 'an event is held back behind later ones', chance, 0)
    .option('--delay <P>', 'an event comes up to 2 seconds late', chance, 0)
    .option('--throttle <P>', 'a DynamoDB request is refused as throttled; embedded engine only', chance, 0)
    .option('--fail-action <P>', 'a rule cannot send to its queue: its error action runs', chance, 0)
    .option('--drop-puback <P>', 'the PUBACK of a direct message is not heard: 504, at once', chance, 0)
    .option('--seed <N>', 'the same misbehaviour for the same seed', seed, 1)
    .addHelpText('after', AFTER)

export const command = () =>
  flags().action(
    exits(async (given) => {
      const run = localRunOf(given)
      const { runLocalStack } = await import('./start/run-local-stack.ts')
      return await runLocalStack(run)
    }),
  )

/** @throws BackendError `usage` for flags that do not go together */
export function localRunOf({ retryAfter, failAction, dropPuback, ...given }: OptionsOf<typeof flags>): LocalRun {
  const { conf, dataDir, duplicate, reorder, delay, throttle, verbose = false, json = false, ...others } = given
  if (throttle > 0 && given.dynamodb !== 'embedded')
    throw wrongUse(`--throttle is given with --dynamodb ${given.dynamodb}, wanted the embedded engine with it`)
  return {
    ...others,
    misbehaviour: { duplicate, reorder, delay, throttle, failAction, dropPuback },
    retryAfterMs: retryAfter * 1000,
    ...(conf === undefined ? {} : { conf }),
    ...(dataDir === undefined ? {} : { dataDir }),
    verbose,
    json,
  }
}
