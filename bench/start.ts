import { median } from './interleaved.ts'
import { localRun } from './local-run.ts'
import { atMost, type Block } from './report.ts'

/** From `npm start` to ready, and the memory that it takes then. Median of three. */
export const start: Block = async ({ quick, progress }) => {
  const runs: { seconds: number; megabytes: number | undefined }[] = []
  for (let i = 0; i < (quick ? 1 : 3); i++) {
    const run = await localRun()
    runs.push({ seconds: run.readyAfter / 1000, megabytes: run.memory() })
    await run.stop()
    progress(`ready after ${runs.at(-1)!.seconds.toFixed(2)} s`)
  }
  const seconds = median(runs.map((run) => run.seconds))
  const known = runs.flatMap(({ megabytes }) => (megabytes === undefined ? [] : [megabytes]))
  return [
    { name: 'npm start, ready', value: seconds, unit: 's', ...atMost(4, seconds), headline: true },
    ...(known.length === 0 ? [] : [{ name: 'npm start, memory', value: median(known), unit: 'MB', ...atMost(350, median(known)) }]),
  ]
}
