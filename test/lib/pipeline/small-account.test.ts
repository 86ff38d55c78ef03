/**
 * An account of Lambda's smallest kind: 10 concurrent executions for the mappings of all seven hooks. A receive without a free execution is
 * lost, and counts (Lambda developer guide, "Using Lambda with Amazon SQS"). Nothing becomes a dead letter of it (I1).
 */

import { HOOKS } from '../../../lambda/core/hooks.ts'
import { DELIVERING_HOOKS } from '../../../lambda/core/metrics.ts'
import { HOOK_SETTINGS, hookSettings, visibilitySeconds } from '../../../lib/pipeline/hook-settings.ts'
import { seededRandom } from '../../../local/seeded-random.ts'

const EXECUTIONS = 10
/** Lambda starts with so many, each of which receives on its own. Real ones become fewer when they are throttled; these do not. */
const POLLERS = 5

interface Sized {
  readonly visibility: number
  readonly maxReceives: number
}

interface Outcome {
  handled: number
  dead: number
  /** Of one event that was handled in the end. */
  mostReceives: number
}

/** Second by second. Every hook gets `events` at once; an invocation takes 100 s where it delivers, to mute clients, else 1 s. */
function burst(events: number, sizeOf: (hook: (typeof HOOKS)[number]) => Sized, seed: number): Outcome {
  const random = seededRandom(seed)
  const queues = HOOKS.map((hook) => ({
    ...sizeOf(hook),
    takes: DELIVERING_HOOKS.includes(hook) ? 100 : 1,
    waiting: Array.from({ length: events }, () => ({ visibleAt: 0, receives: 0 })),
  }))
  const outcome: Outcome = { handled: 0, dead: 0, mostReceives: 0 }
  let running: number[] = []
  for (let now = 0; queues.some(({ waiting }) => waiting.length > 0); now++) {
    running = running.filter((until) => until > now)
    const pollers = queues.flatMap((queue) => Array.from({ length: POLLERS }, () => ({ queue, at: random() }))).sort((a, b) => a.at - b.at)
    for (const { queue } of pollers) {
      const { visibility, maxReceives, takes } = queue
      const batch = queue.waiting.filter(({ visibleAt }) => visibleAt <= now).slice(0, 10)
      if (batch.length === 0) continue
      const over = new Set(batch.filter(({ receives }) => receives === maxReceives))
      outcome.dead += over.size
      for (const event of batch) Object.assign(event, { receives: event.receives + 1, visibleAt: now + visibility })
      const isInvoked = running.length < EXECUTIONS
      if (isInvoked) {
        running.push(now + takes)
        const handled = batch.filter((event) => !over.has(event))
        outcome.handled += handled.length
        outcome.mostReceives = Math.max(outcome.mostReceives, ...handled.map(({ receives }) => receives))
      }
      queue.waiting = queue.waiting.filter((event) => !over.has(event) && !(isInvoked && batch.includes(event)))
    }
  }
  return outcome
}

const ours = (hook: (typeof HOOKS)[number]): Sized => {
  const settings = HOOK_SETTINGS[hook]
  return { visibility: visibilitySeconds(settings), maxReceives: settings.maxReceives }
}

test.each([1, 2, 3])(
  'I1: seven hooks with 500 events each at once share 10 executions, and nothing becomes a dead letter (seed %i)',
  (seed) => {
    const { handled, dead, mostReceives } = burst(500, ours, seed)
    expect({ handled, dead }).toEqual({ handled: 500 * HOOKS.length, dead: 0 })
    // Otherwise it would show nothing: some events were received often without reaching a handler.
    expect(mostReceives).toBeGreaterThan(10)
  },
)

test('with 5 receives, 40 s apart, hundreds would', () => {
  const five = (hook: (typeof HOOKS)[number]): Sized => ({ ...ours(hook), maxReceives: DELIVERING_HOOKS.includes(hook) ? 20 : 5 })
  expect(burst(500, five, 1).dead).toBeGreaterThan(100)
})

test.each(HOOKS)('%s: an event is tried for an hour, and at least 20 times, whatever the options', (hook) => {
  for (const options of [{}, { timeout: 15 }, { timeout: 900 }, { batchWindow: 300 }]) {
    const settings = hookSettings(hook, options)
    expect(settings.maxReceives).toBeGreaterThanOrEqual(20)
    expect(settings.maxReceives * visibilitySeconds(settings)).toBeGreaterThanOrEqual(3600)
    // SQS takes no more.
    expect(settings.maxReceives).toBeLessThanOrEqual(1000)
  }
})
