/** Warnings that would come with every message: each at most once a minute. */
const PAUSE_MS = 60_000
const MOST_KEYS = 1_000

export type Remind = (key: string, text: string) => void

/** `key`: of warnings that say the same. */
export function reminder(warn: (text: string) => void, now: () => number = Date.now): Remind {
  const said = new Map<string, number>()
  return (key, text) => {
    if (now() - (said.get(key) ?? Number.NEGATIVE_INFINITY) < PAUSE_MS) return
    if (said.size >= MOST_KEYS) said.clear()
    said.set(key, now())
    warn(text)
  }
}
