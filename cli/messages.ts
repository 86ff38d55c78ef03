/** `mqtt-dynamodb messages list|show|purge|send|replay`: what waits on a topic, one message, a queue that is emptied, and publishing. */
import { depthOf } from '../lambda/core/model/topic-row.ts'
import { exits, newCommand, wrongUse } from './command-line/run-command.ts'
import { time } from './command-line/time.ts'
import { existingFile, oneOf, storedMsgid, storedTopic } from './command-line/values.ts'
import { replayCommand } from './messages/replay-command.ts'
import { sendCommand } from './messages/send-command.ts'
import { limit, ndjson, saidAsJson, say, sayJson, table, tablesCommand, timeOf } from './operate/operate-command.ts'

const LIST = `Lists the newest messages that wait on a topic. Nothing is marked as read. Six requests at most.
With --from or --to those of a time, by the time in their ids, from the oldest on if --from is given: at most 25 requests before
the first is found, whatever the topic holds.`
const SHOW = 'Shows one message with its payload and MQTT 5 properties.'
const PURGE = `Takes off the queue of a topic in the local run what waits there now, as acknowledgements do: the messages first,
then their ids. Where the run's conf keeps history (on_message_store) the messages stay.`

export const command = () =>
  newCommand('messages', 'read what waits, empty a queue, or publish', 'Messages, from mqtt_topic_msg_map and mqtt_msg.')
    .addCommand(
      tablesCommand('list', 'the newest messages that wait on a topic', LIST)
        .argument('<TOPIC>', 'the topic', storedTopic)
        .option('-n, --limit <N>', 'at most so many', limit, 20)
        .option('--from <T>', 'not older than this', time)
        .option('--to <T>', 'not newer than this', time)
        .addOption(ndjson())
        .action(
          exits(async (topic, { limit: most, from, to, json, ndjson, ...flags }) => {
            if (from !== undefined && to !== undefined && from > to)
              throw wrongUse(`--from is ${timeOf(from)} and --to ${timeOf(to)}, wanted --from before --to`)
            const [{ topicDetails }, { historyOf }, { withTables, found }] = await Promise.all([
              import('./operate/table-reads.ts'),
              import('./messages/history.ts'),
              import('./operate/operator-tables.ts'),
            ])
            const isOfTime = from !== undefined || to !== undefined
            const none = isOfTime ? 'nothing of that time' : 'nothing waits'
            const details = await withTables(flags, (tables) =>
              isOfTime ? historyOf(tables, topic, { from, to }, most) : topicDetails(tables, topic, most),
            )
            const { messages, gone, ...more } = found(details, `topic ${JSON.stringify(topic)}: it has no queue`)
            if ('stoppedAfter' in more)
              process.stderr.write(`${more.stoppedAfter} segments in a row have nothing of that time: looked no further\n`)
            const { payloadText } = await import('./console/text.ts')
            if (ndjson) saidAsJson({ ndjson }, { messages: messages.map(asJson) })
            else if (json) sayJson({ topic, messages: messages.map(asJson), gone })
            else {
              const rows = messages.map((one) => [
                one.msgid,
                one.sender,
                one.qos,
                timeOf(one.arrived * 1000),
                payloadText(one.payload.subarray(0, 60), 'text').split('\n')[0]!,
              ])
              say(messages.length === 0 ? none : table(['MESSAGE', 'FROM', 'QOS', 'ARRIVED', 'PAYLOAD'], rows))
            }
            return 0
          }),
        ),
    )
    .addCommand(
      tablesCommand('show', 'one message', SHOW)
        .argument('<MSGID>', 'its id', storedMsgid)
        .option('--view <VIEW>', 'of the payload', oneOf('text', 'json', 'hex'), 'text')
        .action(
          exits(async (msgid, { view, json, ...flags }) => {
            const [{ messageWith }, { withTables, found }] = await Promise.all([
              import('./operate/table-reads.ts'),
              import('./operate/operator-tables.ts'),
            ])
            const message = found(
              await withTables(flags, (tables) => messageWith(tables, msgid)),
              `message ${JSON.stringify(msgid)}: mqtt_msg has no such row`,
            )
            const { payloadText } = await import('./console/text.ts')
            if (json) sayJson(asJson(message))
            else {
              const { topic, sender, qos, retain, arrived, properties } = message
              say(table(['TOPIC', 'FROM', 'QOS', 'RETAINED', 'ARRIVED'], [[topic, sender, qos, retain, timeOf(arrived * 1000)]]))
              if (properties.user.length > 0)
                say(
                  table(
                    ['USER PROPERTY', 'VALUE'],
                    properties.user.map(([key, value]) => [key, value]),
                  ),
                )
              say(payloadText(message.payload, view))
            }
            return 0
          }),
        ),
    )
    .addCommand(
      tablesCommand('purge', 'empty a queue of the local run', PURGE)
        .argument('<TOPIC>', 'the topic', storedTopic)
        .option('--conf <FILE>', 'the hook table that the run should have: refused where the run says another', existingFile)
        .option('--dry-run', 'say about how many messages wait; nothing is deleted')
        .option('--older <T>', 'only what was published before; default: all', time)
        .option('--yes', 'do it without asking')
        .action(
          exits(async (topic, { aws, conf, dryRun, older, yes, json, ...flags }) => {
            if (aws) throw wrongUse('--aws is given, wanted a local run: on AWS the conf that is deployed is not known here')
            if (!dryRun && !yes) throw wrongUse('purge deletes messages, wanted --yes, or --dry-run to see how many')
            const { withTables, found } = await import('./operate/operator-tables.ts')
            const [{ purge }, { runConf }] = await Promise.all([import('./operate/deeds.ts'), import('./operate/local-run.ts')])
            const { table: hooks } = await runConf(flags.endpoint, conf)
            const [about, purged] = await withTables(flags, async (tables) => {
              const row = found(await tables.ports.topics.head(topic), `topic ${JSON.stringify(topic)}: it has no queue`)
              return [depthOf(row).about, dryRun ? 0 : await purge(tables, topic, hooks, older)] as const
            })
            if (json) sayJson({ topic, about, purged })
            else
              say(
                dryRun
                  ? `${JSON.stringify(topic)}: about ${about} ${older === undefined ? 'would be purged' : 'wait, of which the older ones would be purged'}`
                  : `${JSON.stringify(topic)}: ${purged} purged`,
              )
            return 0
          }),
        ),
    )
    .addCommand(sendCommand())
    .addCommand(replayCommand())

type Stored = Awaited<ReturnType<typeof import('./operate/table-reads.ts').messageWith>> & object

/** The payload as text where it is UTF-8, and in base64 too. */
const asJson = ({ payload, ...message }: Stored) => ({
  ...message,
  payload: payload.toString(),
  payload_base64: payload.toString('base64'),
})
