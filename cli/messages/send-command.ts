/** `messages send`: one publish, or one for each of some clients, through IoT Core. */
import { readFileSync } from 'node:fs'
import { exits, wrongUse } from '../command-line/run-command.ts'
import { clientId, existingFile, repeated, topicName, whole } from '../command-line/values.ts'
import { iotCommand, payloadOf, say, sayJson, table, withPayload } from '../operate/operate-command.ts'
import type { Addressed } from './send-all.ts'

const SEND = `Publishes a message through IoT Core, whose rules store and queue it as any publish. With --to or --file it publishes one
for each client, on the topic in which {clientid} stands for it. With --wait it tells then who has acknowledged something newer on its
topic than before (mqtt_acked).`

const CLIENT = '{clientid}'

export const sendCommand = () =>
  withPayload(iotCommand('send', 'publish, to a topic or to each of some clients', SEND))
    .argument('<TOPIC>', `the topic; for clients with ${CLIENT} in it`, topicName)
    .option('--to <CLIENT>', 'one message for this client', repeated(clientId))
    .option('--file <FILE>', 'one message for each client of this file, a client id a line', existingFile)
    .option('--wait <S>', 'seconds until it tells who has acknowledged', whole(0, 3_600), 0)
    .option('--rate <N>', 'publishes a second', whole(1, 1_000), 50)
    .action(
      exits(async (topic, { to = [], file, wait, rate, payload, payloadFile, json, ...flags }) => {
        const topics = addressed(topic, [...to, ...(file === undefined ? [] : clientsIn(file))])
        const bytes = payloadOf({ payload, payloadFile })
        const [{ withIotCore }, { sendAll, waitForAcks }] = await Promise.all([
          import('../operate/operator-tables.ts'),
          import('./send-all.ts'),
        ])
        const sent = await withIotCore(flags, async (tables) => {
          const before = await sendAll(tables, topics, { payload: bytes, rate })
          return wait === 0 ? topics : await waitForAcks(tables, topics, { before, seconds: wait })
        })
        if (json) sayJson({ sent })
        else if (wait === 0) say(`${sent.length} published`)
        else
          say(
            table(
              ['TOPIC', 'CLIENT', 'ACKNOWLEDGED'],
              sent.map((one) => [one.topic, one.clientid ?? '-', ackText(one.acknowledged)]),
            ),
          )
        return wait > 0 && sent.some(({ acknowledged }) => acknowledged === false) ? 1 : 0
      }),
    )

const ackText = (acknowledged: boolean | undefined): string => (acknowledged === undefined ? '-' : acknowledged ? 'yes' : 'not yet')

/** @throws BackendError `usage` where clients and the topic do not go together */
function addressed(topic: string, clients: readonly string[]): Addressed[] {
  const has = topic.includes(CLIENT)
  if (clients.length === 0 && !has) return [{ topic }]
  if (clients.length === 0) throw wrongUse(`TOPIC is ${JSON.stringify(topic)}, wanted --to or --file with it, for ${CLIENT}`)
  if (!has)
    throw wrongUse(`TOPIC is ${JSON.stringify(topic)}, wanted ${CLIENT} in it: a queue is of one topic, and each client gets its own`)
  return [...new Set(clients)].map((clientid) => ({ topic: topicFor(topic, clientid), clientid }))
}

function topicFor(topic: string, clientid: string): string {
  try {
    return topicName(topic.replaceAll(CLIENT, clientid))
  } catch {
    throw wrongUse(`client ${JSON.stringify(clientid)} makes of TOPIC none of IoT Core, wanted ${topicName.wanted}: nothing was sent`)
  }
}

function clientsIn(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split(/\r?\n/)
  return lines.flatMap((line, i) => {
    if (line === '') return []
    try {
      return [clientId(line)]
    } catch {
      throw wrongUse(`${file}:${i + 1}: ${JSON.stringify(line)}, wanted ${clientId.wanted}: nothing was sent`)
    }
  })
}
