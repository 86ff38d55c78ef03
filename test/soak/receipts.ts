/** What a client got, by its own record. */
import type { IPublishPacket } from 'mqtt'
import type { Role } from './cast.ts'

/** `untold`: an MQTT 3.1.1 client with exact subscriptions cannot tell a native delivery from a direct message. */
export type How = 'native' | 'direct' | 'untold'

/** How often a message came in each way. */
export type Receipt = Record<How, number>

/** Number of the message -> how it came. */
export type Receipts = ReadonlyMap<number, Receipt>

export const payloadOf = (number: number): string => `message ${number}`

/** The number of a message of ours; undefined for an empty payload or a stranger's. */
export function numberOf(payload: string): number | undefined {
  const found = /^message (\d+)$/.exec(payload)?.[1]
  return found === undefined ? undefined : Number(found)
}

export class ReceiptBook {
  readonly receipts = new Map<number, Receipt>()
  readonly #role: Role

  constructor(role: Role) {
    this.#role = role
  }

  /** Retained messages tell what is, not what happened: they are no deliveries. */
  note(packet: IPublishPacket): void {
    const number = numberOf(packet.payload.toString())
    const user = packet.properties?.userProperties
    if (number === undefined || packet.retain || user?.retain === '1') return
    const receipt = this.receipts.get(number) ?? { native: 0, direct: 0, untold: 0 }
    receipt[this.#how(user?.msgid !== undefined)]++
    this.receipts.set(number, receipt)
  }

  #how(hasMsgid: boolean): How {
    const { protocol, kind } = this.#role
    if (protocol === 5) return hasMsgid ? 'direct' : 'native'
    if (kind === 'exact') return 'untold'
    return kind === 'wildcard' ? 'native' : 'direct'
  }
}
