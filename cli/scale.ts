/** `mqtt-dynamodb scale`: what breaks first at a rate of publishes. */
import { Option } from '@commander-js/extra-typings'
import { exits, newCommand, type OptionsOf, wrongUse } from './command-line/run-command.ts'
import { number, oneOf, seed, share, whole } from './command-line/values.ts'
import { RETAIN_CHECKS } from './costs/costs-workload.ts'
import { asJson, asText, scaleOf } from './scale/scale-report.ts'
import { asTable } from './scale/scale-table.ts'
import { DEFAULTS, type ScaleWorkload } from './scale/scale-workload.ts'

const ABOUT = `Replays publishes against AWS's default quotas and DynamoDB's partitions, second by second,
and says what breaks first, at which rate, from when on, and what to turn. A model, with the
units that the tests measure: nothing here was run on AWS. Give --publishes or --table.`

const MANY = whole(1, 1e9)

export const flags = () =>
  newCommand('scale', 'what breaks first at a rate of publishes', ABOUT)
    .option('--publishes <N>', 'publishes a second', number(1, 1e6))
    // AWS IoT Core quotas: payload 128 KB, topic 256 bytes, client id 128 bytes
    .option('--payload <BYTES>', 'of a publish', whole(0, 128 * 1024), DEFAULTS.payload)
    .option('--topic <BYTES>', 'of a topic name', whole(1, 256), DEFAULTS.topic)
    .option('--client <BYTES>', 'of a client id', whole(1, 128), DEFAULTS.client)
    .option('--topics <N>', 'all topics', MANY, DEFAULTS.topics)
    .option('--zipf <S>', 'the n-th topic gets 1 / n^S as much; 0: all the same', number(0, 3), DEFAULTS.zipf)
    .addOption(new Option('--hot <N>', 'instead: so many topics get --hot-share of all').argParser(MANY).conflicts('zipf'))
    .option('--hot-share <F>', 'what the --hot topics get', share)
    .option('--shards <N>', 'topics over which a publisher spreads each', whole(1, 10_000), DEFAULTS.shards)
    .option('--subscribers <N>', 'of a topic', number(0, 1e6), DEFAULTS.subscribers)
    .option('--offline <F>', 'publishes to an offline subscriber; of the time, what a client is offline', share, DEFAULTS.offline)
    .option('--retain <HOW>', 'as in the conf', oneOf(...RETAIN_CHECKS), DEFAULTS.retain)
    .option('--clients <N>', 'all clients', whole(0, 1e9), DEFAULTS.clients)
    .option('--connects <N>', 'of a client, a day', number(0, 86_400), DEFAULTS.connects)
    .option('--batch <N>', 'batchSize of the queue', whole(1, 10_000), DEFAULTS.batch)
    .option('--batch-window <S>', 'batchWindow of the queue, seconds', number(0, 300), DEFAULTS.batchWindow)
    .option('--concurrency <N>', 'invocations at a time', whole(2, 1_000), DEFAULTS.concurrency)
    .option('--lambda-ms <MS>', 'of an invocation; assumed, never measured on AWS', number(1, 900_000), DEFAULTS.milliseconds)
    .option('--warm <UNITS>', 'write units a second for which the busiest tables are warm; default: new ones', MANY, DEFAULTS.warm)
    .option('--iot <N>', "IoT Core's quotas a second, if raised: publishes in, out, rules, direct messages", MANY, DEFAULTS.iot)
    .option('--table-units <N>', "DynamoDB's quota of write units a second and table, if raised", MANY, DEFAULTS.tableUnits)
    .option('--minutes <N>', 'time that is replayed', whole(1, 1_440), DEFAULTS.minutes)
    .option('--seed <N>', "of the publishes' randomness", seed, DEFAULTS.seed)
    .addOption(new Option('--table', 'only the table of docs/scale.md').conflicts('publishes'))
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nExit status: 0 nothing throttles, 1 something does, 2 wrong use.')

export const command = () =>
  flags().action(exits(({ table, json, ...workload }) => (table ? printTable() : printScale(workloadOf(workload), json === true))))

function printTable(): number {
  process.stdout.write(asTable())
  return 0
}

function printScale(workload: ScaleWorkload, json: boolean): number {
  const scale = scaleOf(workload)
  process.stdout.write(json ? asJson(scale) : asText(scale))
  return scale.breaks.length === 0 ? 0 : 1
}

type Flags = Omit<OptionsOf<typeof flags>, 'table' | 'json'>

/** @throws BackendError `usage` for flags that do not go together */
export function workloadOf({ publishes, hot, hotShare, lambdaMs: milliseconds, ...others }: Flags): ScaleWorkload {
  if (publishes === undefined) throw wrongUse('--publishes is missing, wanted a number of publishes a second')
  if ((hot === undefined) !== (hotShare === undefined))
    throw wrongUse(`--${hot === undefined ? 'hot-share' : 'hot'} stands alone, wanted --hot and --hot-share together`)
  if (hot !== undefined && hot > others.topics) throw wrongUse(`--hot is "${hot}", wanted at most the ${others.topics} of --topics`)
  // Lambda developer guide, "Creating an SQS event source mapping"
  if (others.batch > 10 && others.batchWindow < 1)
    throw wrongUse(`--batch ${others.batch} is more than 10, wanted --batch-window of at least 1 with it`)
  return { publishes, milliseconds, ...others, ...(hot === undefined ? {} : { hot: { topics: hot, share: hotShare! } }) }
}
