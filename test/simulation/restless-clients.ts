/** Publishers and clients that do as they like. */
import type { Cast } from './casts.ts'
import type { IotCore } from './iot-core.ts'
import type { Random } from './scheduler.ts'
import type { SimClient } from './sim-client.ts'

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
    for (let n = this.random.pick(this.cast.bursts); n > 0; n--) this.iotCore.publish(this.random.pick(this.cast.topics))
  }

  private act(client: SimClient, dice: number): void {
    const native = client.operator.length === 0
    if (dice < 65 && native) this.iotCore.subscribe(client, this.someFilters())
    else if (dice < 72 && native && client.connection!.filters.size > 0) {
      this.iotCore.unsubscribe(client, [this.random.pick([...client.connection!.filters])])
    } else if (dice < 82) this.iotCore.end(client, 'CLIENT_INITIATED_DISCONNECT')
    else if (dice < 92) this.iotCore.halfOpen(client)
    else if (dice < 95) this.iotCore.connect(client)
  }

  private someFilters(): string[] {
    const filters = this.random.shuffled([...this.cast.topics, 'a/#'])
    return filters.slice(0, this.random.pick([1, 1, 1, 2]))
  }
}
