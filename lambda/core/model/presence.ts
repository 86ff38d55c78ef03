/**
 * Presence rules. A connection is (session, version); events come late, twice and out of order, and versions start over
 * after about an hour offline, so no single comparison orders them (AWS IoT developer guide, "Lifecycle events").
 */
import type { Connection } from '../events/lifecycle-events.ts'

/** A row of `mqtt_client`. Seconds on the page's attributes, milliseconds on `event_at`. */
export interface Presence {
  readonly clientid: string
  readonly connected: boolean
  readonly onlineAt: number
  readonly offlineAt: number
  /** Absent on rows that EMQX wrote. */
  readonly session?: string
  readonly version?: number
  readonly eventAt?: number
  /** Milliseconds: when the latest connection began whose connect is known. */
  readonly connectedAt?: number
}

/**
 * Further apart than this, timestamps order two connections; nearer, versions do: a version reset needs about an hour
 * offline, and timestamps are good to minutes. Milliseconds.
 */
export const VERSION_HORIZON = 30 * 60 * 1000

export const sameConnection = (row: Presence, event: { session: string; version: number }): boolean =>
  row.session === event.session && row.version === event.version

/** Whether `event` belongs to a newer connection than the one that the row shows. */
export function isNewer(event: { version: number; at: number }, row: Presence): boolean {
  if (row.session === undefined || row.version === undefined || row.eventAt === undefined) return true
  if (Math.abs(event.at - row.eventAt) > VERSION_HORIZON) return event.at > row.eventAt
  if (event.version !== row.version) return event.version > row.version
  return event.at > row.eventAt
}

/**
 * Whether the row from before a connect proves that all earlier connections are over: it shows the end of the connection just before.
 * Versions may skip, and events of earlier connections may be late: then it proves nothing.
 */
export const followsEnd = (event: { version: number }, before: Presence | undefined): boolean =>
  before === undefined ? event.version === 0 : !before.connected && before.version === event.version - 1

/** Whether a connected event comes after its connection has ended or was followed by a newer one. */
export const connectionIsOver = (row: Presence | undefined, event: Connection): boolean =>
  row !== undefined && (sameConnection(row, event) ? !row.connected : !isNewer(event, row))

/**
 * The same for a subscribed event, which carries no version: its session has ended since, or a newer connection came after it.
 * In doubt the answer is no: a subscriber too many costs duplicates, one too few costs a delivery.
 */
export function subscriptionIsOver(row: Presence | undefined, event: { session: string; at: number }): boolean {
  if (row?.session === undefined || row.eventAt === undefined) return false
  if (row.session === event.session) return !row.connected && row.eventAt >= event.at
  const connectedAt = row.connected ? row.eventAt : (row.connectedAt ?? row.onlineAt * 1000)
  return connectedAt > event.at
}
