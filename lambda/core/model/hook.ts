/** What the Lambda entry of a hook is made of: the parser of its events, and what runs its actions. */
import type { ActionName, ActionOf, HookName, HookRow } from '../hooks.ts'
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
  /** Handles a batch; one result for each delivery, in order. Only the failed ones are tried again. */
  readonly handle: (deliveries: readonly Delivery<Event>[]) => Promise<PromiseSettledResult<void>[]>
}

/** Handles the events of a batch at the same time, each by itself: one that fails does not affect the others (I8). */
export const eachEvent =
  <Event>(run: (event: Event, context: Context) => Promise<void>): Hook<Event>['handle'] =>
  (deliveries) =>
    Promise.allSettled(deliveries.map(({ event, context }) => run(event, context)))

/** What runs each action of the hook. An action of the hook that is missing here is a type error; so nothing is accepted and never run. */
export type Actions<H extends HookName, Args extends readonly unknown[]> = {
  /** `undefined`: the action has nothing to do for these. */
  readonly [Action in ActionOf<H>]: (...args: Args) => Promise<void> | undefined
}

/** Runs the actions that the rows name, one after the other, each once. The rows of a {@link HookConfig} are in the actions' order. */
export async function performInOrder<H extends HookName, Args extends readonly unknown[]>(
  actions: Actions<H, Args>,
  rows: readonly HookRow[],
  ...args: Args
): Promise<void> {
  for (const action of new Set(rows.map((row) => row.action))) await perform(actions, action, ...args)
}

/** Runs one action. If it fails, {@link actionOf} its error tells which action it was. */
export function perform<H extends HookName, Args extends readonly unknown[]>(
  actions: Actions<H, Args>,
  action: ActionName,
  ...args: Args
): Promise<void> | undefined {
  // A conf is checked against ACTIONS_OF_HOOK, so the rows of a hook name its own actions only.
  const work = actions[action as ActionOf<H>](...args)
  work?.catch((error: unknown) => {
    if (typeof error === 'object' && error !== null && !FAILED_IN.has(error)) FAILED_IN.set(error, action)
  })
  return work
}

/** Error -> the action that threw it. */
const FAILED_IN = new WeakMap<object, ActionName>()

/** The action that threw the error; `undefined`: no action did. */
export const actionOf = (error: unknown): ActionName | undefined =>
  typeof error === 'object' && error !== null ? FAILED_IN.get(error) : undefined
