/**
 * Every hook's handler on hostile events: each is handled or refused with an error that names a field (never what stood in it);
 * refused, it has written nothing; handled, the queue is whole (I5); its neighbours of the batch never notice (I8); no log tells (I10).
 */
import fc from 'fast-check'
import { HOOKS, type HookName } from '../../lambda/core/hooks.ts'
import { rowsWith, type World } from '../support/world.ts'
import { bodyOf, filters, valuesWith } from './arbitraries.ts'
import { assertSilent, CANARY } from './canary.ts'
import { assertThat, type FuzzTarget } from './fuzz-target.ts'
import { type Dump, dump, empty, mostlyMaps, ownWorlds } from './tables.ts'

interface HostileEvent {
  readonly hook: HookName
  readonly body: string
}

/** What a log line may say of a refused event: the field, what was got, what was wanted. */
const REFUSAL = /^(bad event: \S.* is .+, wanted .+|queue message is no JSON, wanted .+|ack of client .+)$/s
const MSGID = 'Mjg4MTk1MDYwNTk0NjYwNzYzMTg4MDk3OTQ2MDU2Nzg1OTD'
const UUID = '0a0b0c0d-0000-4000-8000-000000000001'
const NOW = 1_800_000_000_000

const lifecycle = { clientId: 'c', timestamp: NOW, sessionIdentifier: 's1', principalIdentifier: 'p', versionNumber: 1 }
const publish = { topic: 't', clientid: 'c', timestamp: NOW, traceid: UUID, uuid: UUID, payload: Buffer.from(CANARY).toString('base64') }
const properties = {
  user_properties: [{ k: CANARY }],
  content_type: CANARY,
  format_indicator: 'UTF8_DATA',
  response_topic: CANARY,
  correlation_data: CANARY,
}
const said = (ack: unknown) => Buffer.from(JSON.stringify(ack)).toString('base64')

/** A hook's event as it should be. */
const GOOD: Record<HookName, Record<string, unknown>> = {
  'client.connected': { ...lifecycle, eventType: 'connected', ipAddress: '10.0.0.1' },
  'session.created': { ...lifecycle, eventType: 'connected', ipAddress: '10.0.0.1' },
  'client.disconnected': {
    ...lifecycle,
    eventType: 'disconnected',
    clientInitiatedDisconnect: true,
    disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
  },
  'session.subscribed': { ...lifecycle, eventType: 'subscribed', topics: ['t'] },
  'session.unsubscribed': { ...lifecycle, eventType: 'unsubscribed', topics: ['t'] },
  'message.publish': { ...publish, ...properties },
  'message.acked': { topic: 'acked/c', clientid: 'c', timestamp: NOW, payload: said({ msgid: MSGID, topic: 't' }) },
}

const values = valuesWith(CANARY)
/** Names are for everybody to know: log lines say whom and what an event was about. */
const NAMES = ['clientId', 'clientid', 'topic']
const names = valuesWith('no secret')

const acks = fc
  .oneof(values, fc.array(fc.oneof(values, fc.constantFrom(MSGID, { msgid: MSGID }, { msgid: MSGID, topic: CANARY })), { maxLength: 4 }))
  .map((value) => Buffer.from(bodyOf(value)).toString('base64'))

function fieldValues(hook: HookName, field: string): fc.Arbitrary<unknown> {
  if (NAMES.includes(field)) return names
  if (field === 'topics')
    return fc.oneof(values, fc.array(filters, { maxLength: 9 }), fc.array(fc.constantFrom('t', 'u'), { maxLength: 60 }))
  if (hook === 'message.acked' && field === 'payload') return fc.oneof(acks, values)
  return values
}

/** One or two fields replaced, or left out, or the text cut. */
const events: fc.Arbitrary<HostileEvent> = fc.constantFrom(...HOOKS).chain((hook) => {
  const good = GOOD[hook]
  const change = fc
    .constantFrom(...Object.keys(good), '__proto__', 'constructor', CANARY)
    .chain((field) => fc.option(fieldValues(hook, field), { nil: undefined }).map((value) => ({ [field]: value })))
  const changed = fc
    .array(change, { minLength: 1, maxLength: 2 })
    .map((changes) => bodyOf(Object.fromEntries([good, ...changes].flatMap(Object.entries))))
  const cut = fc.tuple(changed, fc.nat()).map(([body, at]) => body.slice(0, at % body.length))
  const other = values.map(bodyOf)
  return fc.oneof({ weight: 8, arbitrary: changed }, cut, other).map((body) => ({ hook, body }))
})

const ROWS = rowsWith(
  { hook: 'message.publish', topic: '#', action: 'on_message_retain', retain: 'topic' },
  { hook: 'message.publish', topic: 'h/#', action: 'on_message_store' },
)

export const eventTarget: FuzzTarget = {
  name: 'events',
  runs: 25,
  async open() {
    const { worldOn, close } = await ownWorlds(ROWS)
    const property = fc.asyncProperty(events, mostlyMaps, async (event, engine) => {
      const world = worldOn(engine)
      const before = await furnished(world)
      try {
        await alone(world, event, before)
        await amongOthers(world, event)
        assertSilent('a log line', world.logs.join('\n'))
      } finally {
        await empty(world, await dump(world))
      }
    })
    return { property, close }
  },
}

/** Somebody is there already: queued and retained messages, a subscriber, an operator's row. */
async function furnished(world: World): Promise<Dump> {
  await world.publish('t', 'queued')
  await world.publish('other', 'queued')
  await world.operatorSubscribes('c', 'u')
  await world.connect('c', 's0')
  await world.subscribe('c', 's0', 't')
  return dump(world)
}

async function alone(world: World, { hook, body }: HostileEvent, before: Dump): Promise<void> {
  const { batchItemFailures } = await world.deliver(hook, [{ messageId: 'hostile', body }])
  const line = JSON.parse(world.logs.at(-1)!) as { outcome: string; code?: string; error?: string }
  const refused = batchItemFailures.length > 0
  assertThat(refused === (line.outcome === 'failed'), 'the log says what the answer says')
  if (!refused) {
    const { named, stored } = await world.queue()
    assertThat(JSON.stringify(named) === JSON.stringify(stored), `I5: named ${named}, stored ${stored}`)
    return
  }
  assertThat(REFUSAL.test(line.error ?? '') && /^bad-/.test(line.code ?? ''), `the error names no field: ${line.code} ${line.error}`)
  assertThat(line.error!.length < 4_000, `the error is too long to be read: ${line.error!.length} characters`)
  const after = await dump(world)
  assertThat(JSON.stringify(after) === JSON.stringify(before), `a refused event has written: ${changes(before, after)}`)
}

const changes = (before: Dump, after: Dump): string =>
  Object.entries(after)
    .flatMap(([table, rows]) =>
      rows.filter((row) => !before[table as keyof Dump].includes(row)).map((row) => `${table} ${row.slice(0, 300)}`),
    )
    .join('; ')

async function amongOthers(world: World, { hook, body }: HostileEvent): Promise<void> {
  const records = [neighbour(hook, 'n1'), body, neighbour(hook, 'n2')].map((text, i) => ({ messageId: `id-${i}`, body: text }))
  const { batchItemFailures } = await world.deliver(hook, records)
  const failed = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
  assertThat(
    failed.every((id) => id === 'id-1'),
    `I8: failed with it: ${failed}`,
  )
}

/** Of another client, on another topic. */
function neighbour(hook: HookName, name: string): string {
  const uuid = UUID.replace('0a0b', name === 'n1' ? 'aaaa' : 'bbbb')
  const own =
    hook === 'message.acked' ? { topic: `acked/${name}`, clientid: name } : { topic: name, clientId: name, clientid: name, topics: [name] }
  return JSON.stringify({ ...GOOD[hook], ...own, traceid: uuid, uuid })
}
