import { onDynamoDbLocal, type Room, type Spent } from './capacity.ts'
import { plainRule } from './floor.ts'
import { originalMsgid } from './original.ts'
import { checkQueued } from './queued.ts'
import { atMost, beside, countText, type Figure } from './report.ts'

const PAYLOAD = 'x'.repeat(100)
const BATCHES = [1, 10, 100, 1_000]

/** Batch of a spread -> the topic of its i-th message. */
const SPREADS: Readonly<Record<string, (batch: number, i: number) => string>> = {
  'one topic': () => 'bench/batch/one',
  'ten topics': (_, i) => `bench/batch/ten/${i % 10}`,
  // As a fleet does, each device on a topic of its own, whose queue is short: never full enough to be sealed.
  'all different': (batch, i) => `bench/batch/${batch}/${i}`,
}

/** Units and requests of a message of 100 B in a batch that the handler gets at once, with its share of sealing. */
export const batchUnits = onDynamoDbLocal(async (ground) => {
  const figures: Figure[] = []
  const baseline = await ground.room()
  const rule = await baseline.spent(() =>
    plainRule(baseline, { msgid: originalMsgid(0), topic: 'rule', sender: 'publisher', payload: PAYLOAD }),
  )
  for (const [spread, topicOf] of Object.entries(SPREADS)) {
    for (const size of ground.quick ? BATCHES.slice(0, 3) : BATCHES) {
      const room = await ground.room()
      const each = await inBatches(room, size, topicOf)
      ground.progress(`${spread}, ${size}: ${each.writes} write units, ${each.requests} requests`)
      figures.push(...figuresOf(spread, size, each, rule))
    }
  }
  return figures
})

/** Whole rounds of sealing where topics fill up. */
const batchesOf = (size: number): number => Math.max(2, Math.min(32, 1_600 / size))

async function inBatches({ world, spent }: Room, size: number, topicOf: (batch: number, i: number) => string): Promise<Spent> {
  const batches = batchesOf(size)
  const each = await spent(async () => {
    for (let batch = 0; batch < batches; batch++) {
      const events = Array.from({ length: size }, (_, i) => world.publishEvent(topicOf(batch, i), PAYLOAD))
      await world.handle('message.publish', ...events)
    }
  }, batches * size)
  await checkQueued(world, batches * size)
  return each
}

function figuresOf(spread: string, size: number, each: Spent, rule: Spent): Figure[] {
  const name = (what: string) => `${what} per message, ${size === 1 ? 'alone' : `batch of ${countText(size)}`}, ${spread}`
  const point = (chart: string) => ({ point: { chart, series: spread, x: size } })
  const against = 'a plain rule, one PutItem'
  const target = (bound: number, value: number) => ({
    ...atMost(bound, value),
    against: `at most ${bound}; ${against}`,
    headline: true as const,
  })
  return [
    {
      name: name('write units'),
      ...beside(against, rule.writes, each.writes),
      ...(size === 100 && spread === 'one topic' ? target(1.2, each.writes) : {}),
      ...point('batch-writes'),
    },
    { name: name('read units'), value: each.reads, unit: '' },
    {
      name: name('requests'),
      ...beside(against, rule.requests, each.requests),
      ...(size === 100 && spread === 'all different' ? target(1.1, each.requests) : {}),
      ...point('batch-requests'),
    },
  ]
}
