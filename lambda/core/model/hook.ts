/** What a hook's Lambda entry is made of: the parser of its events, and its actions in order. */
import type { ActionName, HookName } from '../hooks.ts'
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
  /** Id of the message that the event is about, for the log. */
  readonly msgid?: (event: Event) => string | undefined
  /** Handles a batch; one result for each delivery, in order. A failed one is tried again alone. */
  readonly handle: (deliveries: readonly Delivery<Event>[]) => Promise<PromiseSettledResult<void>[]>
}

/** Handles each event by itself, all at once: one that fails leaves its neighbours alone (I8). */
export const eachAlone =
  <Event>(run: (event: Event, context: Context) => Promise<void>): Hook<Event>['handle'] =>
  (deliveries) =>
    Promise.allSettled(deliveries.map(({ event, context }) => run(event, context)))

/** Error -> the action that it came out of. */
const FAILED = new WeakMap<object, ActionName>()

/** The action's work, unchanged; if it fails, {@link actionOf} its error tells which action it was. */
export function working(action: ActionName, work: Promise<void>): Promise<void> {
  work.catch((error: unknown) => {
    if (typeof error === 'object' && error !== null && !FAILED.has(error)) FAILED.set(error, action)
  })
  return work
}

/** `undefined`: it came from elsewhere in the handler. */
export const actionOf = (error: unknown): ActionName | undefined =>
  typeof error === 'object' && error !== null ? FAILED.get(error) : undefined
