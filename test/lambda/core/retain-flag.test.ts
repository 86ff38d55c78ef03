import type { Publish } from '../../../lambda/core/events/publish-events.ts'
import { type HookRow, hookConfigs, type RetainMode } from '../../../lambda/core/hooks.ts'
import type { Ports } from '../../../lambda/core/model/ports.ts'
import { msgidOf } from '../../../lambda/core/msgid.ts'
import { retainFlagOf } from '../../../lambda/core/retained/retain-flag.ts'
import type { Row } from '../../support/world.ts'

const AT = 1_800_000_000_000
const publish = (payload: string, user: [string, string][] = []): Publish => ({
  topic: 'a/b',
  sender: 'c',
  at: AT,
  uuid: '00000000-0000-4000-8000-000000000000',
  payload: Buffer.from(payload),
  properties: { user },
})
const idAt = (age: number) => msgidOf({ ...publish('x'), at: AT + age })
const configOf = (...rows: Row[]) => {
  const labelled = rows.map((row, i): HookRow => ({ label: `${i}`, pool: 'pool1', ...row }))
  return hookConfigs({ pools: {}, rows: labelled })[0]!
}
const row = (retain: RetainMode | undefined, topic = '#', action: 'on_message_retain' | 'on_retain_delete' = 'on_message_retain'): Row => ({
  hook: 'message.publish',
  topic,
  action,
  ...(retain && { retain }),
})

interface Known {
  /** What IoT Core holds, and since when relative to the publish, in ms. */
  readonly native?: { payload: string; age?: number }
  /** When the message was published that our table has, relative to the publish, in ms; or its id, if it is none of ours. */
  readonly kept?: number | string
  readonly clearedBy?: string
  /** Whether the message has a row. */
  readonly stored?: true
}
/** Ports of which only what was given is known; `asked` notes who was asked. */
function portsWith({ native, kept, clearedBy, stored }: Known, asked: string[] = []): Ports {
  const device = {
    retained: async (topic: string) => {
      asked.push(topic)
      return native && { payload: Buffer.from(native.payload), qos: 0, lastModified: AT + (native.age ?? 0) }
    },
  }
  const messages = { existing: async (ids: string[]) => new Set(stored ? ids : []) }
  return {
    device,
    messages,
    retained: {
      get: async () => (kept === undefined ? undefined : { msgid: typeof kept === 'string' ? kept : idAt(kept) }),
      clearedBy: async () => clearedBy,
    },
  } as unknown as Ports
}

const NO = { retained: false, cleared: false }
const YES = { retained: true, cleared: false }
const CLEARED = { retained: true, cleared: true }
const PERHAPS = { ...NO, mayHaveCleared: true }

const FIRST = { again: false }

describe('native', () => {
  it.each<[string, string, Known, object]>([
    ['IoT Core holds this payload', 'x', { native: { payload: 'x' } }, { ...YES, qos: 0 }],
    ['... stored a minute before the rule stamped the event', 'x', { native: { payload: 'x', age: -60_000 } }, { ...YES, qos: 0 }],
    ['... longer ago: of an earlier publish', 'x', { native: { payload: 'x', age: -60_001 } }, NO],
    ['... stored later: the event comes late', 'x', { native: { payload: 'x', age: 3_600_000 } }, { ...YES, qos: 0 }],
    ['it holds another', 'x', { native: { payload: 'y' } }, NO],
    ['it holds none', 'x', {}, NO],
    ['empty, it holds none and we have one', '', { kept: -1_000 }, { ...CLEARED, inferredFrom: idAt(-1_000) }],
    ['... but one that came later: since IoT Core was asked', '', { kept: 1 }, PERHAPS],
    ['... but one of which nobody knows the time', '', { kept: 'foreign' }, PERHAPS],
    ['empty, this very event had cleared it', '', { clearedBy: msgidOf(publish('')) }, { ...CLEARED, inferredFrom: msgidOf(publish('')) }],
    ['empty, it holds none and we have one, but an earlier try took it for a message', '', { kept: -1_000, stored: true }, PERHAPS],
    ['empty, another event had cleared it', '', { clearedBy: 'another' }, PERHAPS],
    ['empty, and nobody knows of one', '', {}, PERHAPS],
    ['empty, while it holds one', '', { native: { payload: 'y' }, kept: -1_000 }, NO],
  ])('%s', async (_name, payload, known, wanted) => {
    expect(await retainFlagOf(portsWith(known), configOf(row(undefined)), publish(payload), FIRST)).toEqual(wanted)
  })
})

describe('native, empty, tried again while IoT Core holds one that came since', () => {
  const mine = msgidOf(publish(''))
  it.each<[string, Known, object]>([
    ['an earlier try cleared', { clearedBy: mine }, { ...CLEARED, inferredFrom: mine }],
    ['an earlier try cleared, and another stored it as a message', { clearedBy: mine, stored: true }, NO],
    ['no try cleared', {}, NO],
  ])('%s', async (_name, known, wanted) => {
    const ports = portsWith({ ...known, native: { payload: 'y' } })
    expect(await retainFlagOf(ports, configOf(row(undefined)), publish(''), { again: true })).toEqual(wanted)
  })
})

describe('native, tried again, IoT Core holds none', () => {
  const native = (kept: object | undefined) =>
    ({
      clock: { now: () => AT },
      device: { retained: async () => undefined },
      retained: { get: async () => kept, answer: async () => undefined, noteAnswer: async () => {} },
    }) as unknown as Ports
  it.each<[string, object | undefined, object]>([
    ['we have this very message: an earlier try put it there', { msgid: msgidOf(publish('x')) }, { ...NO, wasCleared: true }],
    ['we have another', { msgid: 'another' }, NO],
    ['we have none', undefined, NO],
  ])('%s', async (_name, kept, wanted) => {
    expect(await retainFlagOf(native(kept), configOf(row(undefined)), publish('x'), { again: true })).toEqual(wanted)
  })
})

describe('the other modes ask nobody', () => {
  it.each<[RetainMode, string, [string, string][], object]>([
    ['topic', 'x', [], YES],
    ['topic', '', [], CLEARED],
    ['property', 'x', [['retain', '1']], YES],
    ['property', '', [['retain', '1']], CLEARED],
    ['property', 'x', [['retain', 'true']], NO],
    ['property', '', [], NO],
  ])('%s, payload %j, user properties %j', async (mode, payload, user, wanted) => {
    const asked: string[] = []
    expect(await retainFlagOf(portsWith({ native: { payload } }, asked), configOf(row(mode)), publish(payload, user), FIRST)).toEqual(
      wanted,
    )
    expect(asked).toEqual([])
  })
})

describe('which row says so', () => {
  it.each<[string, Row[], object]>([
    ['none of them covers the topic', [row('topic', 'other/#')], NO],
    ['the first of on_message_retain that covers it', [row('topic', 'other'), row('property', 'a/#'), row('topic', '#')], NO],
    ['on_message_retain before on_retain_delete', [row('topic', '#', 'on_retain_delete'), row('property')], NO],
    ['on_retain_delete where there is no other', [row('topic', '#', 'on_retain_delete')], YES],
  ])('%s', async (_name, rows, wanted) => {
    expect(await retainFlagOf(portsWith({}), configOf(...rows), publish('x'), FIRST)).toEqual(wanted)
  })
})
