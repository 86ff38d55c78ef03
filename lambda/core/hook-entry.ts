/** What a hook's Lambda entry is made of: the parser of its events, and its actions in order. */
import type { HookName } from './hooks.ts'
import type { Context } from './ports.ts'

/** One event from the hook's queue. */
export interface Delivery<Event> {
  readonly event: Event
  readonly context: Context
}

export interface Hook<Event> {
  readonly hook: HookName
  /** Throws a BackendError with code `bad-event` that names the field. */
  readonly parse: (body: unknown) => Event
  /** Handles a batch; one result for each delivery, in order. A failed one is tried again alone. */
  readonly handle: (deliveries: readonly Delivery<Event>[]) => Promise<PromiseSettledResult<void>[]>
}

/** Handles each event by itself, all at once: one that fails leaves its neighbours alone (I8). */
export const eachAlone =
  <Event>(run: (event: Event, context: Context) => Promise<void>): Hook<Event>['handle'] =>
  (deliveries) =>
    Promise.allSettled(deliveries.map(({ event, context }) => run(event, context)))
