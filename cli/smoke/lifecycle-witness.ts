/** A client that receives the lifecycle events of other clients. Its policy must allow `$aws/events/...`. */
import type { MqttClient } from 'mqtt'
import type { Stage } from '../demo/demo-stage.ts'

export interface LifecycleEvent {
  readonly eventType?: string
  readonly timestamp?: number
  readonly sessionIdentifier?: string
  readonly topics?: readonly string[]
}

export interface Witness {
  /** False: it may not subscribe to the events. */
  readonly sees: boolean
  /** The client's events, oldest first. */
  of(clientName: string): readonly LifecycleEvent[]
}

const KINDS = ['presence/connected', 'presence/disconnected', 'subscriptions/subscribed', 'subscriptions/unsubscribed']

export async function witnessOf(stage: Stage, names: readonly string[]): Promise<Witness> {
  const client = await stage.connect('witness')
  const events = new Map<string, LifecycleEvent[]>()
  client.on('message', (topic, payload) => {
    const name = names.find((one) => topic.endsWith(`/${stage.ground.clientName(one)}`))
    if (name !== undefined) events.set(name, [...(events.get(name) ?? []), parsed(payload)])
  })
  const sees = await everySubscribed(
    client,
    names.flatMap((name) => KINDS.map((kind) => `$aws/events/${kind}/${stage.ground.clientName(name)}`)),
  )
  return { sees, of: (name) => events.get(name) ?? [] }
}

/** One SUBSCRIBE for each filter: IoT Core takes at most eight in one, and may close the connection for one that is not allowed. */
async function everySubscribed(client: MqttClient, filters: readonly string[]): Promise<boolean> {
  for (const filter of filters) if (!(await isGranted(client, filter))) return false
  return true
}

/** Whether a SUBSCRIBE is granted. If IoT Core closes the connection instead, it is not. */
export async function isGranted(client: MqttClient, ...filters: string[]): Promise<boolean> {
  let end: (() => void) | undefined
  const closed = new Promise<false>((resolve) => {
    end = () => resolve(false)
    client.once('close', end)
  })
  const granted = client.subscribeAsync([...filters], { qos: 1 }).then(
    (grants) => grants.every(({ qos }) => qos < 128),
    () => false,
  )
  const answer = await Promise.race([granted, closed])
  client.off('close', end!)
  return answer
}

function parsed(payload: Buffer): LifecycleEvent {
  try {
    return JSON.parse(payload.toString()) as LifecycleEvent
  } catch {
    return {}
  }
}
