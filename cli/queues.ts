/** `mqtt-dynamodb queues list|show`: which topics have messages waiting, and who subscribes to them. */

import { Option } from '@commander-js/extra-typings'
import { exits, newCommand } from './command-line/run-command.ts'
import { storedTopic, whole } from './command-line/values.ts'
import { limit, listCommand, more, RATE, saidAsJson, say, sayJson, table, tablesCommand, timeOf } from './operate/operate-command.ts'

const LIST = `Lists topics and about how many messages wait on each, the longest queue of what was read first. It reads rows of
mqtt_topic_msg_map, of which markers and segments are no topics: one request, of as many rows as --limit says.`
const TOP = 'the N longest queues of all: it reads the whole table, and says before how much that is'
const SHOW = `Shows one queue: how many messages wait (about how many, of more than 100 segments), its subscribers, and the newest
messages. Six requests at most.`

export const command = () =>
  newCommand('queues', 'how many messages wait on which topic', 'Queues, from mqtt_topic_msg_map.')
    .addCommand(
      listCommand('list', 'topics and what waits on them', LIST)
        .addOption(new Option('--top <N>', TOP).argParser(limit).conflicts(['after', 'limit']))
        .option('--rate <UNITS>', `with --top, ${RATE}`, whole(1, 10_000))
        .action(
          exits(async ({ limit: most, after, top, rate, json, ndjson, ...flags }) => {
            const [{ depthText, topicsPage }, { withTables }, { longest, queueRow, deepestFirst }] = await Promise.all([
              import('./operate/table-reads.ts'),
              import('./operate/operator-tables.ts'),
              import('./queues/longest-queues.ts'),
            ])
            const { queues, next } = await withTables(flags, async (tables) => {
              if (top !== undefined) return { queues: await longest(tables, top, { rate, aws: flags.aws }), next: undefined }
              const { rows, next } = await topicsPage(tables, after, most)
              return { queues: rows.map(queueRow).sort(deepestFirst), next }
            })
            if (!saidAsJson({ json, ndjson }, { queues }, next)) {
              const cells = queues.map((queue) => [queue.topic, depthText(queue), queue.subscribers])
              say([table(['TOPIC', 'WAITING', 'SUBSCRIBERS'], cells), ...more(next)].join('\n'))
            }
            return 0
          }),
        ),
    )
    .addCommand(
      tablesCommand('show', 'one queue', SHOW)
        .argument('<TOPIC>', 'the topic', storedTopic)
        .action(
          exits(async (topic, { json, ...flags }) => {
            const [{ depthText, subscribersOf, topicDetails }, { withTables, found }] = await reading()
            const details = await withTables(flags, (tables) => topicDetails(tables, topic, 5))
            const { row, depth, messages } = found(details, `topic ${JSON.stringify(topic)}: it has no queue`)
            const subscribers = subscribersOf(row)
            const newest = messages.map(({ msgid, sender, arrived }) => ({ msgid, sender, arrived }))
            if (json) sayJson({ topic, ...depth, subscribers, newest })
            else {
              say(`${JSON.stringify(topic)}: ${depthText(depth)} waiting`)
              if (subscribers.length > 0)
                say(
                  table(
                    ['SUBSCRIBER', 'SUBSCRIBED BY'],
                    subscribers.map((one) => [one.clientid, one.kind]),
                  ),
                )
              if (newest.length > 0)
                say(
                  table(
                    ['NEWEST MESSAGES', 'FROM', 'ARRIVED'],
                    newest.map((one) => [one.msgid, one.sender, timeOf(one.arrived * 1000)]),
                  ),
                )
            }
            return 0
          }),
        ),
    )

const reading = () => Promise.all([import('./operate/table-reads.ts'), import('./operate/operator-tables.ts')])
