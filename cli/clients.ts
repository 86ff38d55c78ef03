/** `mqtt-dynamodb clients list|show|kick`: who is connected, what each subscribes to and what waits for it. */
import { Option } from '@commander-js/extra-typings'
import { exits, newCommand } from './command-line/run-command.ts'
import { time } from './command-line/time.ts'
import { reader, storedClientId } from './command-line/values.ts'
import { listCommand, more, saidAsJson, say, sayJson, table, tablesCommand, timeOf } from './operate/operate-command.ts'

const LIST =
  'Lists rows of mqtt_client, as DynamoDB keeps them: one request, of as many rows as --limit says.\nWhat a flag leaves out is read all the same.'
const SHOW =
  'Shows one client: presence, subscriptions, and about how many messages wait on the topics that it subscribes to. Three requests.'
const KICK = 'Ends the connection of a client of the local run (DeleteConnection). Its disconnected event follows.'

const beginning = reader('the beginning of a client id', (got) => got)

const listed = () =>
  listCommand('list', 'who was ever connected', LIST)
    .option('--online', 'only who is connected; the others are read all the same')
    .addOption(new Option('--offline', 'only who is not').conflicts('online'))
    .option('--since <T>', 'only whose last connect or disconnect was not before this', time)
    .option('--starts-with <TEXT>', 'only client ids that begin so', beginning)

export const command = () =>
  newCommand('clients', 'who is connected, and what waits for whom', 'Clients, from mqtt_client and mqtt_sub.')
    .addCommand(
      listed().action(
        exits(async ({ limit, after, online, offline, since = 0, startsWith = '', json, ndjson, ...flags }) => {
          const [{ clientsPage }, { withTables }] = await Promise.all([
            import('./operate/table-reads.ts'),
            import('./operate/operator-tables.ts'),
          ])
          const { rows, next } = await withTables(flags, (tables) => clientsPage(tables, after, limit))
          const isOfState = (one: { online: boolean }) => (online ? one.online : offline ? !one.online : true)
          const wanted = rows.filter((one) => isOfState(one) && one.at >= since && one.clientid.startsWith(startsWith))
          if (!saidAsJson({ json, ndjson }, { clients: wanted }, next))
            say(
              [
                table(
                  ['CLIENT', 'STATE', 'SINCE', 'IP', 'REASON'],
                  wanted.map((one) => [one.clientid, one.online ? 'online' : 'offline', timeOf(one.at), one.ip ?? '-', one.reason ?? '-']),
                ),
                ...more(next),
              ].join('\n'),
            )
          return 0
        }),
      ),
    )
    .addCommand(
      tablesCommand('show', 'one client', SHOW)
        .argument('<CLIENT>', 'its client id', storedClientId)
        .action(
          exits(async (clientid, { json, ...flags }) => {
            const [{ clientDetails, depthText }, { withTables, found }] = await Promise.all([
              import('./operate/table-reads.ts'),
              import('./operate/operator-tables.ts'),
            ])
            const details = await withTables(flags, (tables) => clientDetails(tables, clientid))
            const { presence, subscriptions, waiting } = found(details, `client ${JSON.stringify(clientid)}: mqtt_client has no such row`)
            if (json) sayJson({ clientid, presence, subscriptions, waiting: Object.fromEntries(waiting) })
            else {
              say(
                `${JSON.stringify(clientid)}: ${presence.connected ? 'online' : 'offline'} since ${timeOf(presence.eventAt ?? 0)}, session ${presence.session}`,
              )
              const rows = subscriptions.map(({ topic, qos, origin }) => [
                topic,
                qos,
                origin === 'operator' ? "operator's row" : 'its own',
                waiting.has(topic) ? depthText(waiting.get(topic)!) : '-',
              ])
              say(subscriptions.length === 0 ? 'no subscriptions' : table(['FILTER', 'QOS', 'WHOSE', 'WAITING'], rows))
            }
            return 0
          }),
        ),
    )
    .addCommand(
      tablesCommand('kick', 'end the connection of a client of the local run', KICK)
        .argument('<CLIENT>', 'its client id', storedClientId)
        .option('--clean', 'its session ends, too')
        .action(
          exits(async (clientid, { aws, clean = false, json, ...flags }) => {
            const { wrongUse } = await import('./command-line/run-command.ts')
            if (aws) throw wrongUse('--aws is given, wanted a local run: on AWS use aws iot-data delete-connection')
            const [{ kick }, { withTables, found }] = await Promise.all([
              import('./operate/deeds.ts'),
              import('./operate/operator-tables.ts'),
            ])
            const { NotFound } = await import('./operate/not-found.ts')
            await withTables(flags, (tables) => kick(tables, clientid, { clean })).catch((error) => {
              if (!(error instanceof NotFound)) throw error
              found(undefined, error.message)
            })
            if (json) sayJson({ kicked: clientid })
            else say(`${JSON.stringify(clientid)}: its connection is ended`)
            return 0
          }),
        ),
    )
