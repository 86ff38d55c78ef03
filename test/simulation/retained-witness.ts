/** I14: a retained message is sent as IoT Core has told it, before each try. */
import type { Run } from './handlers.ts'

/** Of a retained message; `undefined`: there is none, `null`: the question was throttled. */
type Told = string | undefined | null

export function retainedWitness(violated: (violation: string) => void) {
  /** Run and topic -> what IoT Core told, in order. */
  const answers = new Map<string, Told[]>()
  /** From then on the rest of an event is sent as our rows have it (docs/guarantees.md). */
  const throttled = new Set<Run>()
  const answersOf = (run: Run, topic: string) => answers.get(`${run.number} ${topic}`) ?? []

  function told(run: Run, topic: string, payload: Told): void {
    answers.set(`${run.number} ${topic}`, [...answersOf(run, topic), payload])
    if (payload === null) throttled.add(run)
  }

  /** Several filters and events ask side by side. */
  function sends(run: Run, clientid: string, topic: string, payload: string): void {
    const all = answersOf(run, topic)
    const [event] = run.batch
    const alone = run.batch.length === 1 && event?.hook === 'session.subscribed' && !event.label.includes(',')
    if (alone) answers.delete(`${run.number} ${topic}`)
    if (throttled.has(run) || (alone ? all.slice(-1) : all).includes(payload)) return
    const answer = all.map((one) => one ?? 'nothing').join(', ') || 'was not asked'
    violated(`I14: #${run.number} sends '${payload}', retained on ${topic}, to ${clientid}; IoT Core: ${answer}`)
  }
  return { told, sends }
}
