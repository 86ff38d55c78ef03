/** `mqtt-dynamodb queues list|show`: which topics have messages waiting, and who subscribes to them. */
import { depthOf } from '../lambda/core/queue/depth.ts'
import { exits, newCommand } from './command-line/run-command.ts'
import { listCommand, more, say, sayJson, table, tablesCommand, timeOf } from './operate/operate-command.ts'

const LIST = `Lists topics and about how many messages wait on each, the longest queue of what was read first. It reads rows of
mqtt_topic_msg_map, of which markers and segments are no topics: one request, of as many rows as --limit says.`
const SHOW = 'Shows one queue: about how many messages wait, its subscribers, and the newest messages. Six requests at most.'

export const command = () =>
  newCommand('queues', 'how many messages wait on which topic', 'Queues, from mqtt_topic_msg_map.')
    .addCommand(
      listCommand('list', 'topics and what waits on them', LIST).action(
        exits(async ({ limit, after, json, ...flags }) => {
          const [{ subscribersOf, topicsPage }, { withTables }] = await reading()
          const { rows, next } = await withTables(flags, (tables) => topicsPage(tables, after, limit))
          const queues = rows
            .map((row) => ({ topic: row.topic, ...depthOf(row), subscribers: subscribersOf(row).length }))
            .sort((a, b) => b.about - a.about)
          if (json) sayJson({ queues, ...(next === undefined ? {} : { next }) })
          else {
            const cells = queues.map(({ topic, about, exact, subscribers }) => [topic, `${exact ? '' : 'about '}${about}`, subscribers])
            say([table(['TOPIC', 'WAITING', 'SUBSCRIBERS'], cells), ...more(next)].join('\n'))
          }
          return 0
        }),
      ),
    )
    .addCommand(
      tablesCommand('show', 'one queue', SHOW)
        .argument('<TOPIC>', 'the topic')
        .action(
          exits(async (topic, { json, ...flags }) => {
            const [{ subscribersOf, topicDetails }, { withTables, found }] = await reading()
            const details = await withTables(flags, (tables) => topicDetails(tables, topic, 5))
            const { row, messages } = found(details, `topic ${JSON.stringify(topic)}: it has no queue`)
            const { about, exact } = depthOf(row)
            const subscribers = subscribersOf(row)
            const newest = messages.map(({ msgid, sender, arrived }) => ({ msgid, sender, arrived }))
            if (json) sayJson({ topic, about, exact, subscribers, newest })
            else {
              say(`${JSON.stringify(topic)}: ${exact ? '' : 'about '}${about} waiting`)
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
