import { onDynamoDbLocal } from './capacity.ts'
import { checkQueued, queueUp } from './queued.ts'
import { atLeast, countText, timesAtMost } from './report.ts'

const TOPIC = 'bench/long'
const ROUND = 64

/** One topic that nobody consumes takes whatever is published; not one may be missing or unnamed. */
export const longQueue = onDynamoDbLocal(async (ground) => {
  const count = ground.quick ? 2_000 : 100_000
  const { world, spent } = await ground.room()
  const publish = () => spent(() => publishOneByOne(), ROUND)
  const publishOneByOne = async () => {
    for (let i = 0; i < ROUND; i++) await world.publish(TOPIC, 'x'.repeat(100))
  }
  const shallow = await publish()
  await queueUp(world, TOPIC, count - ROUND, { payload: 'x'.repeat(90), progress: ground.progress })
  const deep = await publish()
  await checkQueued(world, count + ROUND)
  const ratio = deep.writes / shallow.writes
  return [
    { name: 'publishes that one topic takes without an error', value: count, unit: '', ...atLeast(count, count), headline: true },
    {
      name: `write units of a publish of 100 B, ${countText(count)} queued beside none`,
      value: deep.writes,
      unit: '',
      ...timesAtMost(1.05, ratio),
      point: { chart: 'publish-cost', series: 'this backend', x: count },
    },
  ]
})
