/** What the routes of the console share. */
import type { Monitor } from './monitor.ts'
import type { Place } from './place.ts'

export interface Site {
  readonly place: Place
  readonly monitor: Monitor
  /** Whether it may change anything. */
  readonly write: boolean
}
