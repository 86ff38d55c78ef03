/** Questions that AWS's pages leave open and that rows and events answer. They are no checks: the backend works with any answer. */
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeMsgid, millisOfMsgid } from '../../lambda/core/msgid.ts'
import type { Row, Stage } from '../demo/demo-stage.ts'
import { isGranted, type Witness } from './lifecycle-witness.ts'

export interface Answer {
  readonly question: string
  readonly seen: string
}

export interface Asking {
  readonly stage: Stage
  /** Whether GetRetainedMessage finds a message. */
  readonly isRetained: (topic: string) => Promise<boolean>
  readonly witness: Witness
}

/** Names of the clients whose events the questions need. */
export const WITNESSED = ['resumer', 'sharer', 'refused', 'clock']
const UNSEEN = 'unknown: the client that would see the events may not subscribe to $aws/events/...'

type Question = (asking: Asking) => Promise<Answer>

const resumedSession: Question = async ({ stage, witness }) => {
  const question = 'Does a resumed persistent session report its subscriptions again, and under the same session?'
  const options = { clean: false, properties: { sessionExpiryInterval: 300 } }
  const first = await stage.connect('resumer', options)
  await first.subscribeAsync(stage.ground.topicName('resumed'), { qos: 1 })
  const isRecorded = async () => (await stage.rows('mqtt_sub')).some(({ topic }) => topic?.S === stage.ground.topicName('resumed'))
  await stage.eventually('its subscription is a row', isRecorded)
  const session = await sessionOf(stage, 'resumer')
  await first.endAsync()
  await stage.eventually('it is offline', async () => (await stage.presence('resumer')) === '0')
  const before = count(witness, 'resumer', 'subscribed')
  const second = await stage.connect('resumer', options)
  await stage.eventually('it is online again', async () => (await stage.presence('resumer')) === '1')
  await sleep(Math.min(2_000, stage.ground.patienceMs))
  const row = (await isRecorded()) ? 'its row of mqtt_sub is back' : 'no row of mqtt_sub came back'
  const events = witness.sees ? `${count(witness, 'resumer', 'subscribed') - before} subscribed events` : UNSEEN
  const same = session === (await sessionOf(stage, 'resumer')) ? 'the same session' : 'another session'
  await second.endAsync()
  // A clean session ends the persistent one.
  await (await stage.connect('resumer', { clean: true })).endAsync()
  return { question, seen: `${row}; ${events}; ${same}` }
}

const shared: Question = async ({ stage, witness }) => {
  const question = 'How do $share filters appear in events?'
  const filter = `$share/g/${stage.ground.topicName('shared')}`
  const client = await stage.connect('sharer')
  if (!(await isGranted(client, filter))) return { question, seen: 'unknown: the subscription was refused' }
  const rowsOf = async () => (await stage.rows('mqtt_sub')).filter(({ clientid }) => clientid?.S === stage.ground.clientName('sharer'))
  await stage.eventually('its subscription is a row', async () => (await rowsOf()).length > 0)
  const seen = (await rowsOf()).map(({ topic }) => topic?.S ?? '')
  const events = witness.of('sharer').flatMap(({ topics }) => topics ?? [])
  await client.endAsync()
  return { question, seen: `subscribed ${filter}; rows: ${listed(seen)}; events: ${witness.sees ? listed(events) : UNSEEN}` }
}

const refused: Question = async ({ stage, witness }) => {
  const question = 'Do refused filters appear in events?'
  // With the prefix of this run it has 8 slashes; IoT Core allows 7.
  const deep = `${stage.ground.topicName('refused')}/1/2/3/4/5/6`
  const client = await stage.connect('refused')
  const granted = await isGranted(client, deep)
  await sleep(Math.min(1_000, stage.ground.patienceMs))
  const rows = (await stage.rows('mqtt_sub')).filter(({ clientid }) => clientid?.S === stage.ground.clientName('refused'))
  const events = witness.sees ? `${count(witness, 'refused', 'subscribed')} subscribed events` : UNSEEN
  await client.endAsync(true)
  return {
    question,
    seen: granted ? `a filter of 8 slashes was granted; ${events}` : `refused; ${rows.length} rows of mqtt_sub; ${events}`,
  }
}

const emptyPayload: Question = async ({ stage }) => {
  const question = 'How is an empty payload stored?'
  await stage.publish('empty', '')
  const [row] = await rowsSoon(stage, 'empty')
  const seen =
    row === undefined
      ? 'no row came: look for it in the dead letters'
      : 'it is stored as a message without payload: missing, null or "", all are read'
  return { question, seen }
}

const clocks: Question = async ({ stage }) => {
  const question = 'How well do the times of rules and lifecycle events agree? (a second is allowed for)'
  const connected = await timed(() => stage.connect('clock'))
  const subscribed = await timed(() => connected.result.subscribeAsync(stage.ground.topicName('clock/live'), { qos: 1 }))
  const published = await timed(() => stage.publish('clock/queue', 'what time is it'))
  const [row] = await rowsSoon(stage, 'clock/queue')
  await stage.eventually('the client is online', async () => (await stage.presence('clock')) === '1')
  const isRow = ({ topic }: Row) => topic?.S === stage.ground.topicName('clock/live')
  await stage.eventually('its subscription is a row', async () => (await stage.rows('mqtt_sub')).some(isRow))
  const client = (await stage.rows('mqtt_client')).find(({ clientid }) => clientid?.S === stage.ground.clientName('clock'))
  const subscription = (await stage.rows('mqtt_sub')).find(isRow)
  const off = [
    ['rule', row?.msgid?.S === undefined ? Number.NaN : millisOfMsgid(row.msgid.S) - published.at],
    ['connected', Number(client?.event_at?.N) - connected.at],
    ['subscribed', Number(subscription?.since?.N) - subscribed.at],
  ] as const
  await connected.result.endAsync()
  const told = off.map(([name, ms]) => (Number.isNaN(ms) ? `${name}: no row` : `${name} ${ms >= 0 ? '+' : ''}${Math.round(ms)} ms`))
  const known = off.map(([, ms]) => ms).filter((ms) => !Number.isNaN(ms))
  return {
    question,
    seen: `against this clock: ${told.join(', ')}; apart by ${Math.round(Math.max(...known) - Math.min(...known))} ms at most`,
  }
}

const traceId: Question = async ({ stage }) => {
  const question = 'Is traceid() a UUID for every MQTT publish?'
  const ids = await Promise.all((await stage.rows('mqtt_msg')).map(({ msgid }) => decodeMsgid(msgid?.S ?? '')))
  // The 13th hex digit of a UUID is its version.
  const versions = [...new Set(ids.map(({ sequence }) => sequence.toString(16).padStart(4, '0')[0]))]
  return {
    question,
    seen: `${ids.length} ids of UUIDs of version ${versions.join(', ')}. newuuid() makes version 4. Another version comes from traceid(); version 4 may come from either`,
  }
}

const retainedLag: Question = async ({ stage, isRetained }) => {
  const question = 'How soon does GetRetainedMessage show a publish?'
  const topic = stage.ground.topicName('lag')
  await stage.publish('lag', 'retained', { retain: true })
  const since = performance.now()
  const there = await stage.eventually('GetRetainedMessage shows it', () => isRetained(topic))
  const ms = Math.round(performance.now() - since)
  const stored = await stage.eventually('mqtt_retain has it', async () =>
    (await stage.rows('mqtt_retain')).some((row) => row.topic?.S === topic),
  )
  const row = stored ? 'mqtt_retain has it: the handler saw it in time' : 'mqtt_retain has it not: the handler asked too early'
  return { question, seen: `${there ? `${ms} ms after its PUBACK` : 'not at all'}; ${row}` }
}

const QUESTIONS: readonly Question[] = [resumedSession, shared, refused, emptyPayload, clocks, traceId, retainedLag]

export async function answersOf(asking: Asking): Promise<Answer[]> {
  const answers: Answer[] = []
  for (const question of QUESTIONS) answers.push(await question(asking))
  return answers
}

const count = (witness: Witness, name: string, type: string) => witness.of(name).filter(({ eventType }) => eventType === type).length
const listed = (texts: readonly string[]) => (texts.length === 0 ? 'none' : texts.join(', '))
const sessionOf = async (stage: Stage, name: string) =>
  (await stage.rows('mqtt_client')).find(({ clientid }) => clientid?.S === stage.ground.clientName(name))?.session?.S

async function rowsSoon(stage: Stage, name: string): Promise<Row[]> {
  const of = async () => (await stage.rows('mqtt_msg')).filter(({ topic }) => topic?.S === stage.ground.topicName(name))
  await stage.eventually(`${name} is stored`, async () => (await of()).length > 0)
  return of()
}

/** Does the work. `at`: the middle of the time that it took, milliseconds since the epoch by this machine's clock. */
async function timed<T>(work: () => Promise<T>): Promise<{ result: T; at: number }> {
  const before = Date.now()
  const result = await work()
  return { result, at: (before + Date.now()) / 2 }
}
