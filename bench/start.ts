import { rmSync } from 'node:fs'
import { ASSEMBLIES } from '../local/template/kept-assembly.ts'
import { interleaved, median } from './interleaved.ts'
import { localRun } from './local-run.ts'
import { atMost, type Block, timesAtMost } from './report.ts'

/** From `npm start` to ready, the first time and once more, and the memory that it takes then. Median of three. */
export const start: Block = async ({ quick, progress }) => {
  const memory: number[] = []
  const started = async (how: string) => {
    const run = await localRun()
    memory.push(...[run.memory() ?? []].flat())
    await run.stop()
    progress(`${how}: ready after ${(run.readyAfter / 1000).toFixed(2)} s`)
    return run.readyAfter / 1000
  }
  const { of, ratio } = await interleaved(
    {
      first: async () => {
        rmSync(ASSEMBLIES, { recursive: true, force: true })
        return await started('nothing is kept')
      },
      again: () => started('nothing changed'),
    },
    quick ? 1 : 3,
  )
  return [
    { name: 'npm start, ready', value: of.first, unit: 's', ...atMost(4, of.first), headline: true },
    { name: 'npm start when nothing changed, ready', value: of.again, unit: 's', ...timesAtMost(0.5, ratio('again', 'first')) },
    ...(memory.length === 0 ? [] : [{ name: 'npm start, memory', value: median(memory), unit: 'MB', ...atMost(350, median(memory)) }]),
  ]
}
