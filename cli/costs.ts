/** `mqtt-dynamodb costs`: what a month of a fleet costs. */
import { exits, newCommand, type OptionsOf, wrongUse } from './command-line/run-command.ts'
import { number, oneOf, share, whole } from './command-line/values.ts'
import { asJson, asText } from './costs/costs-report.ts'
import { DEFAULTS, LOG_LEVELS, RETAIN_CHECKS, type Workload } from './costs/costs-workload.ts'
import { AS_OF, REGION } from './costs/prices.ts'

const ABOUT = `What a month of a fleet costs with this backend, with EMQX's access pattern on the same tables,
with a plain rule that writes to DynamoDB, and with EMQX Dedicated. List prices of ${REGION} as of
${AS_OF}, in US dollars, without free tiers and volume tiers. Write and read units are those that
the tests measure; nothing was billed by AWS yet.`

const COUNT = number(0, 1e15)

export const flags = () =>
  newCommand('costs', 'what a month of a fleet costs', ABOUT)
    .option('--publishes <N>', 'publishes a month, e.g. 1e8; must be given', COUNT)
    // AWS IoT Core quotas: payload 128 KB, topic 256 bytes, client id 128 bytes
    .option('--payload <BYTES>', 'of a publish', whole(0, 128 * 1024), DEFAULTS.payload)
    .option('--topic <BYTES>', 'of a topic name', whole(1, 256), DEFAULTS.topic)
    .option('--client <BYTES>', 'of a client id', whole(1, 128), DEFAULTS.client)
    .option('--offline <F>', 'publishes whose subscriber is offline; also, the part of the time that a client is', share, DEFAULTS.offline)
    .option('--subscribers <N>', 'of a topic, to whom IoT Core delivers', COUNT, DEFAULTS.subscribers)
    .option('--durable <F>', 'publishes whose one subscriber is durable', share, DEFAULTS.durable)
    .option('--operator <F>', "publishes whose one subscriber is an operator's row", share, DEFAULTS.operator)
    .option('--clients <N>', 'all clients', COUNT, DEFAULTS.clients)
    .option('--connects <N>', 'of a client, a month, each with one SUBSCRIBE', COUNT, DEFAULTS.connects)
    .option('--retained <F>', 'publishes with RETAIN', share, DEFAULTS.retained)
    .option('--retain <HOW>', 'as in the conf; native asks IoT Core once for each publish', oneOf(...RETAIN_CHECKS), DEFAULTS.retain)
    .option('--depth <N>', "messages queued on a topic; matters to EMQX's pattern only", whole(0, 1e15), DEFAULTS.depth)
    .option('--batch <N>', 'events that one Lambda invocation handles; 1 costs most', number(1, 10), DEFAULTS.batch)
    .option(
      '--lambda-ms <MS>',
      'of a function for each event and delivery; assumed, never measured on AWS',
      number(0, 900_000),
      DEFAULTS.milliseconds,
    )
    .option('--memory <MB>', 'of a function', number(128, 10_240), DEFAULTS.memoryMegabytes)
    .option('--storage <GB>', 'kept in the tables', COUNT, DEFAULTS.storage)
    .option('--log-level <LEVEL>', 'of the functions, as the option of the stack', oneOf(...LOG_LEVELS), DEFAULTS.logLevel)
    .option('--emqx-nodes <N>', 'EMQX Enterprise on nodes of your own, which has no public list price', whole(1, 1e15))
    .option('--emqx-node-monthly <DOLLARS>', 'your price of such a node, machine and license', COUNT)
    .option('--json', 'one JSON object instead of text')
    .addHelpText('after', '\nExit status: 0 told, 2 wrong use.')

export const command = () =>
  flags().action(
    exits(({ json, ...others }) => {
      const workload = workloadOf(others)
      process.stdout.write(json ? asJson(workload) : asText(workload))
      return 0
    }),
  )

type Flags = Omit<OptionsOf<typeof flags>, 'json'>

/** @throws BackendError `usage` if a flag is missing */
export function workloadOf({ publishes, emqxNodes, emqxNodeMonthly, lambdaMs, memory, ...others }: Flags): Workload {
  if (publishes === undefined) throw wrongUse('--publishes is missing, wanted a number of publishes a month')
  const { durable, operator } = others
  if (durable + operator > 1)
    throw wrongUse(`--durable ${durable} and --operator ${operator} are more than all publishes, wanted at most 1 together`)
  const workload = { publishes, ...others, milliseconds: lambdaMs, memoryMegabytes: memory }
  if (emqxNodes === undefined && emqxNodeMonthly === undefined) return workload
  if (emqxNodes === undefined) throw wrongUse('--emqx-node-monthly is given without --emqx-nodes, wanted both')
  if (emqxNodeMonthly === undefined) throw wrongUse('--emqx-nodes is given without --emqx-node-monthly, wanted both')
  return { ...workload, emqx: { nodes: emqxNodes, nodeMonthly: emqxNodeMonthly } }
}
