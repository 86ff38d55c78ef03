/** `mqtt-dynamodb retained list|show|put|delete|export|import`: the retained messages of the table. */
import { exits, newCommand } from './command-line/run-command.ts'
import { storedTopic } from './command-line/values.ts'
import { listCommand, more, saidAsJson, say, sayJson, table, tablesCommand, timeOf } from './operate/operate-command.ts'
import { deleteCommand, exportCommand, importCommand, putCommand } from './retained/write-commands.ts'

const LIST =
  'Lists rows of mqtt_retain, as DynamoDB keeps them: one request of as many rows as --limit says, and one for each 100 messages.'
const SHOW = 'Shows the retained message of one topic. One request.'

export const command = () =>
  newCommand('retained', 'the retained messages of the table', 'Retained messages, from mqtt_retain.')
    .addCommand(
      listCommand('list', 'topics with a retained message', LIST).action(
        exits(async ({ limit, after, json, ndjson, ...flags }) => {
          const [{ retainedPage }, { withTables }] = await Promise.all([
            import('./operate/table-reads.ts'),
            import('./operate/operator-tables.ts'),
          ])
          const { rows, next } = await withTables(flags, (tables) => retainedPage(tables, after, limit))
          const all = rows.map(({ topic, sender, arrived, payload }) => ({ topic, sender, arrived, bytes: payload.length }))
          if (!saidAsJson({ json, ndjson }, { retained: all }, next))
            say(
              [
                table(
                  ['TOPIC', 'FROM', 'ARRIVED', 'BYTES'],
                  all.map((one) => [one.topic, one.sender, timeOf(one.arrived * 1000), one.bytes]),
                ),
                ...more(next),
              ].join('\n'),
            )
          return 0
        }),
      ),
    )
    .addCommand(
      tablesCommand('show', 'one of them', SHOW)
        .argument('<TOPIC>', 'the topic', storedTopic)
        .action(
          exits(async (topic, { json, ...flags }) => {
            const { withTables, found } = await import('./operate/operator-tables.ts')
            const message = found(
              await withTables(flags, ({ ports }) => ports.retained.get(topic)),
              `topic ${JSON.stringify(topic)}: mqtt_retain has no such row`,
            )
            const { payloadText } = await import('./console/text.ts')
            const { payload, ...rest } = message
            if (json) sayJson({ ...rest, payload: payload.toString(), payload_base64: payload.toString('base64') })
            else {
              say(
                table(
                  ['MESSAGE', 'FROM', 'QOS', 'ARRIVED'],
                  [[message.msgid, message.sender, message.qos, timeOf(message.arrived * 1000)]],
                ),
              )
              say(payloadText(payload, 'text'))
            }
            return 0
          }),
        ),
    )
    .addCommand(putCommand())
    .addCommand(deleteCommand())
    .addCommand(exportCommand())
    .addCommand(importCommand())
