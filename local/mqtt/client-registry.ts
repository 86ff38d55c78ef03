/** Who is or was connected: the session and the latest connection of every client id. */
import { randomUUID } from 'node:crypto'
import { CLIENT_MEMORY_MS, type KeptClient } from '../state/kept-state.ts'
import type { Connection } from './connection.ts'
import type { DisconnectReason, Subject } from './lifecycle.ts'
import { Session, type SessionParts } from './session.ts'

export interface Client {
  readonly clientid: string
  /** Of the latest connection. */
  version: number
  /** sessionIdentifier of the latest connection. */
  sessionId: string
  /** Present while the client is connected, and after that until a persistent session expires. */
  session?: Session
  connection?: Connection
  keepAliveSeconds?: number
  disconnectedSince?: number
  disconnectReason?: DisconnectReason
  /** For the session's end, or for a delayed will. */
  readonly timers: Set<NodeJS.Timeout>
}

export class ClientRegistry {
  readonly #clients = new Map<string, Client>()
  readonly #sweeper = setInterval(() => this.#forget(), CLIENT_MEMORY_MS / 60).unref()
  readonly #sessions: SessionParts

  constructor(sessions: SessionParts) {
    this.#sessions = sessions
  }

  of(clientid: string): Client | undefined {
    return this.#clients.get(clientid)
  }

  /** The client of a new connection, with the next version. Its session is resumed unless it asks for a fresh one. */
  connecting(clientid: string, fresh: boolean, protocol: 4 | 5): { client: Client; session: Session; resumed: boolean } {
    const known = this.#clients.get(clientid)
    const client: Client = known ?? { clientid, version: -1, sessionId: '', timers: new Set() }
    for (const timer of client.timers) clearTimeout(timer)
    client.timers.clear()
    const resumed = client.session !== undefined && !fresh
    const session = resumed ? client.session! : new Session(clientid, randomUUID(), protocol, this.#sessions)
    Object.assign(client, { session, sessionId: session.id, version: client.version + 1 })
    this.#clients.set(clientid, client)
    return { client, session, resumed }
  }

  /** A client that an earlier run knew, as disconnected. Its next connection has the next version. `until`: when that run ended, ms. */
  restore(clientid: string, { session, version, disconnectedAt }: KeptClient, until: number): Client {
    const disconnectedSince = disconnectedAt ?? until
    const client: Client = { clientid, version, sessionId: session, disconnectedSince, timers: new Set() }
    this.#clients.set(clientid, client)
    return client
  }

  connections(): Connection[] {
    return [...this.#clients.values()].map((client) => client.connection).filter((connection) => connection !== undefined)
  }

  after(client: Client, milliseconds: number, action: () => void): void {
    // setTimeout takes at most 2^31 - 1 ms, which is more than the longest session
    const timer = setTimeout(() => {
      client.timers.delete(timer)
      action()
    }, milliseconds).unref()
    client.timers.add(timer)
  }

  close(): void {
    clearInterval(this.#sweeper)
    for (const client of this.#clients.values()) for (const timer of client.timers) clearTimeout(timer)
  }

  #forget(): void {
    const before = Date.now() - CLIENT_MEMORY_MS
    for (const [clientid, client] of this.#clients)
      if (!client.connection && !client.session && (client.disconnectedSince ?? 0) < before) this.#clients.delete(clientid)
  }
}

export const subjectOf = ({ clientid, sessionId, version }: Client): Subject => ({ clientid, session: sessionId, version })
