/** What scenarios are made of. */
import { type Row, rowsWith, type World } from '../../support/world.ts'
import { CANARY } from '../checks.ts'

const retain = (mode: 'topic' | 'property'): Row[] =>
  rowsWith(
    { hook: 'message.publish', topic: '#', action: 'on_message_retain', retain: mode },
    { hook: 'message.publish', topic: '#', action: 'on_retain_delete', retain: mode },
  )
/** The page's rows, retained messages told by user property: no question of the data plane in every publish. */
export const RETAIN_BY_PROPERTY = retain('property')
export const RETAIN_BY_TOPIC = retain('topic')

export const payloads = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `${CANARY}${from + i}`)

/** One after the other, `apart` ms between them. */
export async function publishMany(world: World, topic: string, from: number, to: number, apart = 10): Promise<void> {
  for (const payload of payloads(from, to)) {
    await world.publish(topic, payload)
    world.wait(apart)
  }
}

/** The event alone: the client itself stays where it is, so that a rival may be late. */
export const disconnectOf = (world: World, clientid: string, session: string, reason = 'CLIENT_INITIATED_DISCONNECT'): object =>
  world.lifecycle(clientid, session, {
    eventType: 'disconnected',
    versionNumber: 0,
    clientInitiatedDisconnect: reason === 'CLIENT_INITIATED_DISCONNECT',
    disconnectReason: reason,
  })

/** So many others are live on t. */
export async function crowd(world: World, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await world.connect(`crowd${i}`, `s-crowd${i}`)
    await world.subscribe(`crowd${i}`, `s-crowd${i}`, 't')
  }
  world.wait(70_000)
}
