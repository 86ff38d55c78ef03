import { pacing } from '../../lambda/core/pace.ts'

it('lets a client be sent to 100 times a second, however many send at once', async () => {
  let now = 5_000
  const times: number[] = []
  const sleeps: number[] = []
  const turnOf = pacing({ now: () => now, sleep: async (ms) => void sleeps.push(ms) })
  for (let i = 0; i < 50; i++) {
    sleeps.length = 0
    await turnOf('c')
    times.push(now + (sleeps[0] ?? 0))
  }
  expect(times).toEqual(Array.from({ length: 50 }, (_, i) => 5_000 + i * 10))

  now = 9_000
  sleeps.length = 0
  await turnOf('c')
  await turnOf('another')
  expect(sleeps).toEqual([])
})
