/** Waits for all, then throws the first failure: after an error nothing is still running. */
export async function allDone(work: readonly unknown[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Runs work at most `limit` at once, in the order that it was given; the rest waits for its turn. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>

export function inTurnOf(limit: number): InTurn {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running < limit) running++
    else await new Promise<void>((turn) => waiting.push(turn))
    try {
      return await work()
    } finally {
      // The next one starts in place of this one, so as many are running as before.
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
