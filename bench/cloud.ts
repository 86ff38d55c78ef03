/** DynamoDB and the IoT data plane at a distance that can be set, in a process of their own. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Traffic } from './delay-proxy.ts'
import type { Delivered } from './puback-server.ts'

export interface CloudUrls {
  /** DynamoDB itself, and through its delay. */
  readonly engine: string
  readonly dynamodb: string
  /** The data plane itself, and through its delay. */
  readonly devices: string
  readonly iot: string
}

/** Milliseconds; what is not named stays. `puback`: how long a device takes to acknowledge. */
export interface Distances {
  readonly dynamodb?: number
  readonly iot?: number
  readonly puback?: number
}

export interface CloudCall extends Distances {
  readonly id: number
  readonly call: 'set' | 'traffic' | 'delivered'
}

export interface Cloud {
  readonly urls: CloudUrls
  set(distances: Distances): Promise<void>
  /** What passed to DynamoDB through its delay since the last call. */
  traffic(): Promise<Traffic>
  /** The direct messages that came since the last call. */
  delivered(): Promise<Delivered[]>
  stop(): Promise<void>
}

export async function startCloud(): Promise<Cloud> {
  const child = fork(join(import.meta.dirname, 'cloud-process.ts'), { execArgv: ['--import', 'tsx'] })
  const exited = once(child, 'exit')
  const first = await Promise.race([once(child, 'message'), exited.then(() => undefined)])
  if (first === undefined) throw new Error('the process with DynamoDB and the data plane ended before it was ready')
  const waiting = new Map<number, (answer: unknown) => void>()
  let calls = 0
  child.on('message', ({ id, answer }: { id: number; answer: unknown }) => {
    waiting.get(id)?.(answer)
    waiting.delete(id)
  })
  const ask = <T>(call: Omit<CloudCall, 'id'>) =>
    new Promise<T>((resolve) => {
      const id = calls++
      waiting.set(id, resolve as (answer: unknown) => void)
      child.send({ ...call, id })
    })
  return {
    urls: first[0] as CloudUrls,
    set: (distances) => ask({ call: 'set', ...distances }),
    traffic: () => ask({ call: 'traffic' }),
    delivered: () => ask({ call: 'delivered' }),
    async stop() {
      child.disconnect()
      await exited
    },
  }
}
