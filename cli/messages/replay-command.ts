/** `messages replay`: stored messages go to one client once more, as direct messages. */

import type { SendOutcome } from '../../lambda/core/metrics.ts'
import { isMsgid } from '../../lambda/core/msgid.ts'
import { exits, wrongUse } from '../command-line/run-command.ts'
import { clientId, topicOrMsgid } from '../command-line/values.ts'
import { iotCommand, limit, say, sayJson, table } from '../operate/operate-command.ts'

const REPLAY = `Sends stored messages to one client that is connected, on their topics: the message of an id, or the newest that wait on a
topic, oldest first, each awaited to its PUBACK. Nothing is taken off a queue, and nothing is marked as read. It ends with the first
that the client does not acknowledge.`

const SAYS: Readonly<Record<SendOutcome, string>> = {
  acked: 'acknowledged',
  gone: 'the client is not connected',
  silent: 'no PUBACK in time: the client may have it',
  unknown: 'IoT Core failed: the client may have it',
  throttled: 'IoT Core refused it for its rate',
  forbidden: "the client's policy lacks iot:Receive on the topic, or yours lacks iot:SendDirectMessage",
  unsendable: 'no direct message can carry it',
}

export const replayCommand = () =>
  iotCommand('replay', 'send stored messages to one client again', REPLAY)
    .argument('<TOPIC|MSGID>', 'a topic, or the id of a message', topicOrMsgid)
    .option('--to <CLIENT>', 'the client that gets them; must be given', clientId)
    .option('-n, --limit <N>', 'of a topic, at most so many', limit, 20)
    .action(
      exits(async (what, { to, limit: most, json, ...flags }) => {
        if (to === undefined) throw wrongUse('--to is missing, wanted the client that gets them')
        const [{ topicDetails, messageWith }, { withIotCore, found }] = await Promise.all([
          import('../operate/table-reads.ts'),
          import('../operate/operator-tables.ts'),
        ])
        const told = await withIotCore(flags, async (tables) => {
          const one = isMsgid(what) ? await messageWith(tables, what) : undefined
          const details = one === undefined ? await topicDetails(tables, what, most) : undefined
          const messages = one === undefined ? details?.messages.toReversed() : [one]
          const sent: { readonly msgid: string; readonly topic: string; readonly outcome: SendOutcome }[] = []
          for (const message of found(messages, `${JSON.stringify(what)}: no message has this id, and no queue this topic`)) {
            const { msgid, topic } = message
            sent.push({ msgid, topic, outcome: await tables.ports.device.send(to, message) })
            if (sent.at(-1)!.outcome !== 'acked') break
          }
          return sent
        })
        if (json) sayJson({ client: to, sent: told })
        else if (told.length === 0) say('nothing waits: nothing was sent')
        else
          say(
            table(
              ['MESSAGE', 'TOPIC', 'OUTCOME'],
              told.map(({ msgid, topic, outcome }) => [msgid, topic, SAYS[outcome]]),
            ),
          )
        return told.every(({ outcome }) => outcome === 'acked') ? 0 : 1
      }),
    )
