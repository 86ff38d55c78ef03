/** Publishers and clients that do as they like. */
import type { Cast } from './casts.ts'
import type { IotCore } from './iot-core.ts'
import type { Random } from './random.ts'
import type { SimClient, SubscriptionOptions } from './sim-client.ts'

export class RestlessClients {
  private readonly iotCore: IotCore
  private readonly cast: Cast
  private readonly random: Random

  constructor(iotCore: IotCore, cast: Cast, random: Random) {
    this.iotCore = iotCore
    this.cast = cast
    this.random = random
  }

  doSomething(): void {
    const client = this.random.pick([...this.iotCore.clients.values()])
    const dice = this.random.below(100)
    if (dice < 40) this.publish()
    else if (client.connection === undefined) this.iotCore.connect(client)
    else if (client.connection.halfOpenSince === undefined) this.act(client, dice)
    else if (dice < 60) this.iotCore.connect(client)
  }

  private publish(): void {
    for (let n = this.random.pick(this.cast.bursts); n > 0; n--) {
      const retained = this.random.chance(this.cast.retained ?? 0)
      const retain = retained ? this.random.pick(['put', 'put', 'clear'] as const) : undefined
      const empty = this.cast.retained !== undefined && this.random.chance(0.1)
      this.iotCore.publish(this.random.pick(this.cast.topics), { retain, empty, ...this.someSender() })
    }
  }

  /** Some publishes are a subscriber's own. */
  private someSender(): { sender?: string } {
    if (!this.random.chance(this.cast.own ?? 0)) return {}
    const able = [...this.iotCore.clients.values()].filter(({ connection }) => connection !== undefined && !connection.halfOpenSince)
    return able.length === 0 ? {} : { sender: this.random.pick(able).id }
  }

  private act(client: SimClient, dice: number): void {
    const native = client.operator.length === 0
    const { filters } = client.connection!
    if (dice < 65 && native) this.iotCore.subscribe(client, this.someFilters(client), this.someOptions())
    else if (dice < 72 && native && filters.size > 0) this.iotCore.unsubscribe(client, [this.random.pick([...filters.keys()])])
    else if (dice < 82) this.iotCore.end(client, 'CLIENT_INITIATED_DISCONNECT')
    else if (dice < 92) this.iotCore.halfOpen(client)
    else if (dice < 95) this.iotCore.connect(client)
  }

  private someFilters({ durable }: SimClient): string[] {
    const { topics, shared = 0 } = this.cast
    const filters = this.random.shuffled([...topics, 'a/#']).slice(0, this.random.pick([1, 1, 1, 2]))
    const prefix = durable ? 'durable/' : ''
    return filters.map((filter) => `${this.random.chance(shared) ? '$share/g/' : ''}${prefix}${filter}`)
  }

  private someOptions(): SubscriptionOptions {
    const { qos0 = 0, noLocal = 0 } = this.cast
    return { qos: this.random.chance(qos0) ? 0 : 1, noLocal: this.random.chance(noLocal) }
  }
}
