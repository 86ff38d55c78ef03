/**
 * How many round trips each hook waits for, one after the other: what a millisecond more of distance to DynamoDB and to the data
 * plane adds to it. Least squares of the medians, so that what the machine itself takes falls out.
 */
import { startCloud } from './cloud.ts'
import type { DepthCase, DepthFigure } from './depth-case.ts'
import { DEPTH_CASES } from './depth-cases.ts'
import { clientsOf } from './handlers.ts'
import { median, slopeOf } from './line-fit.ts'
import { original } from './original.ts'
import { atMost, type Block, type Figure } from './report.ts'
import { createTables, rowsIn, type Tables } from './six-tables.ts'

/** Milliseconds. None is 0: a timer, however short, takes its time. */
const DELAYS = [5, 10, 20, 40]
const QUICK_DELAYS = [5, 20]

interface Measured extends DepthCase {
  readonly tables: Tables
  /** Figure -> delay -> samples in ms; the last one is EMQX's. */
  readonly taken: Map<number, number[]>[]
}

export const depth: Block = async ({ quick, progress }) => {
  const rounds = quick ? 1 : 9
  const delays = quick ? QUICK_DELAYS : DELAYS
  const cloud = await startCloud()
  const clients = clientsOf({ dynamodb: cloud.urls.dynamodb, iot: cloud.urls.iot })
  try {
    const samples = 1 + rounds * delays.length
    const emqx = original(clients.dynamodb, await createTables(clients.dynamodb, 'original_'))
    const cases: Measured[] = []
    for (const prepare of DEPTH_CASES) {
      const tables = await createTables(clients.dynamodb, `${prepare.name}_`)
      const ground = { clients, tables, original: emqx, samples, queued: quick ? 60 : 1_000 }
      const prepared = await prepare(ground)
      cases.push({ ...prepared, tables, taken: [...prepared.figures, 'original'].map(() => new Map()) })
    }
    progress('prepared')
    for (const one of cases) await sampled(one, 0)
    for (let round = 0, n = 1; round < rounds; round++) {
      for (const delay of delays) {
        for (const one of cases.filter(({ rounds: most = rounds }) => round < most)) {
          await cloud.set({ dynamodb: delay, iot: one.devicesNear ? 0 : delay })
          for (const [i, ms] of (await sampled(one, n)).entries()) note(one.taken[i]!, delay, ms)
        }
        n++
      }
      progress(`round ${round + 1} of ${rounds}`)
    }
    await cloud.set({ dynamodb: 0, iot: 0 })
    for (const one of cases) {
      const rows = await rowsIn(clients.dynamodb, one.tables)
      for (const [table, wanted] of Object.entries(one.rows?.(samples) ?? {}))
        if (rows[table as keyof Tables] !== wanted)
          throw new Error(`${one.figures[0]?.name}: ${rows[table as keyof Tables]} rows in ${table}, wanted ${wanted}`)
    }
    return cases.flatMap(figuresOf)
  } finally {
    clients.dynamodb.destroy()
    clients.iot.destroy()
    await cloud.stop()
  }
}

/** Ours, then EMQX's. */
async function sampled(one: DepthCase, n: number): Promise<number[]> {
  const ours = await one.sample(n)
  if (one.original === undefined) return [...ours]
  const started = performance.now()
  await one.original.sample(n)
  return [...ours, performance.now() - started]
}

function note(taken: Map<number, number[]>, delay: number, ms: number): void {
  taken.set(delay, [...(taken.get(delay) ?? []), ms])
}

const roundTrips = (taken: ReadonlyMap<number, readonly number[]>): number => slopeOf([...taken].map(([x, all]) => ({ x, y: median(all) })))

function figuresOf({ figures, taken, original: emqx }: Measured): Figure[] {
  const against = emqx && roundTrips(taken[figures.length]!)
  return figures.map(({ name, atMost: most }: DepthFigure, i) => {
    const value = roundTrips(taken[i]!)
    const bound: Partial<Figure> = most === undefined ? {} : atMost(most, value)
    const compared = against === undefined ? {} : { ratio: value / against, floor: against }
    const words = [bound.against, emqx && `EMQX's pattern (${emqx.name})`].filter(Boolean).join('; ')
    return { name: `depth of ${name}`, value, unit: 'round trips', ...bound, ...compared, ...(words === '' ? {} : { against: words }) }
  })
}
