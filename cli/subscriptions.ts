/** `mqtt-dynamodb subscriptions list|add|del`: who subscribes to what, and an operator's rows, which subscribe a client for it. */
import { filterFault, parseSubscription, topicMatches } from '../lambda/core/topic.ts'
import { exits, newCommand, wrongUse } from './command-line/run-command.ts'
import { clientId, reader, stackName, storedClientId, storedFilter, whole } from './command-line/values.ts'
import { listCommand, more, saidAsJson, say, sayJson, table, tablesCommand, timeOf } from './operate/operate-command.ts'
import type { SubscriptionRow } from './operate/table-reads.ts'

const LIST = `Lists rows of mqtt_sub: of one client, or as DynamoDB keeps them, one request of as many rows as --limit says.
A row is a client's own subscription or an operator's.`
const ADD = `Subscribes a client for it: an operator's row of mqtt_sub. It gets what is queued there and what is published from now on,
each message until it acknowledges it. A client that is connected is subscribed at once, by its own connected event, which goes
through the hook's queue again; another one when it connects. A client that has subscribed to the filter itself is left as it is.`
const DEL = `Deletes an operator's row. Nothing is delivered for it from then on. A client's own subscription is left as it is.`

const filter = reader('a topic or a topic filter', (got) => (filterFault(got) === undefined ? got : undefined))
const WHOSE = { client: 'its own', operator: "an operator's row" } as const
const LIVE = {
  now: 'live as soon as its connected event is handled',
  'when it connects': 'live when it connects. If it is just connecting, add it once more',
  'its next connection': 'live from its next connection on: on this one it unsubscribed from the filter itself',
} as const

/** Whether the subscription is to this filter, or gets what is published on this topic. */
function concerns(sent: string, asked: string): boolean {
  const { filter } = parseSubscription(sent)
  return sent === asked || filter === asked || topicMatches(filter, asked)
}

const reading = () => Promise.all([import('./operate/table-reads.ts'), import('./operate/operator-tables.ts')])
const steering = () =>
  Promise.all([import('./operate/operator-tables.ts'), import('./operate/local-run.ts'), import('./operate/operator-subscriptions.ts')])

const STACK = 'whose queue takes the connected event, with --aws; default: MqttBackend'

export const command = () =>
  newCommand('subscriptions', 'who subscribes to what, and subscribing for a client', 'Subscriptions, from mqtt_sub.')
    .addCommand(
      listCommand('list', 'subscriptions of all clients, or of one', LIST)
        .argument('[CLIENT]', 'only of this client id', storedClientId)
        .option('--topic <FILTER>', 'only those that are this filter, or match this topic; the others are read all the same', filter)
        .action(
          exits(async (clientid, { limit, after, topic, json, ndjson, ...flags }) => {
            const [{ subscriptionsPage }, { withTables }] = await reading()
            const { rows, next } = await withTables(flags, async (tables) =>
              clientid === undefined
                ? await subscriptionsPage(tables, after, limit)
                : { rows: (await tables.ports.subscriptions.of(clientid)) as readonly SubscriptionRow[], next: undefined },
            )
            const wanted = rows.filter((row) => topic === undefined || concerns(row.topic, topic))
            if (!saidAsJson({ json, ndjson }, { subscriptions: wanted }, next)) {
              const cells = wanted.map((row) => [row.clientid, row.topic, row.qos, WHOSE[row.origin], timeOf(row.since ?? 0)])
              say([table(['CLIENT', 'FILTER', 'QOS', 'WHOSE', 'SINCE'], cells), ...more(next)].join('\n'))
            }
            return 0
          }),
        ),
    )
    .addCommand(
      tablesCommand('add', 'subscribe a client for it', ADD)
        .argument('<CLIENT>', 'its client id', clientId)
        .argument('<FILTER>', 'a topic, or a filter with wildcards')
        .option('--qos <QOS>', 'of the subscription; of QoS 0 nothing that was queued comes', whole(0, 2), 1)
        .option('--stack <NAME>', STACK, stackName)
        .action(
          exits(async (clientid, topic, { qos, stack, json, ...flags }) => {
            const [{ withTables }, { runConf }, deeds] = await steering()
            const { senseless } = await import('./operate/filter-sense.ts')
            const conf = flags.aws ? undefined : await runConf(flags.endpoint)
            const why = senseless(topic, conf?.table)
            if (why !== undefined) throw wrongUse(`FILTER is ${JSON.stringify(topic)}: ${why}, so nothing would come`)
            const where = flags.aws ? { stack, region: flags.region } : { endpoint: flags.endpoint }
            const state = await withTables(flags, async (tables) => {
              await deeds.addRow(tables, { clientid, topic }, qos)
              return await deeds.goLive(tables, { clientid, topic }, deeds.tellQueues(where))
            })
            if (json) sayJson({ clientid, topic, qos, live: state })
            else say(`${JSON.stringify(clientid)}: subscribed to ${JSON.stringify(topic)}, ${LIVE[state]}`)
            return 0
          }),
        ),
    )
    .addCommand(
      tablesCommand('del', "delete an operator's row", DEL)
        .argument('<CLIENT>', 'its client id', storedClientId)
        .argument('<FILTER>', 'as it was added', storedFilter)
        .action(
          exits(async (clientid, topic, { json, ...flags }) => {
            const [{ withTables }, , { deleteRow }] = await steering()
            await withTables(flags, (tables) => deleteRow(tables, { clientid, topic }))
            if (json) sayJson({ clientid, topic, deleted: true })
            else say(`${JSON.stringify(clientid)}: not subscribed to ${JSON.stringify(topic)} any more`)
            return 0
          }),
        ),
    )
