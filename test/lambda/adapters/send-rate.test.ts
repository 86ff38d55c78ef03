import { pacing } from '../../../lambda/adapters/send-rate.ts'

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

it('never lets more than 100 go within a second, also where timers fire late and then all at once', async () => {
  let now = 0
  let waiting: { at: number; wake: () => void }[] = []
  const turnOf = pacing({ now: () => now, sleep: (ms) => new Promise((wake) => waiting.push({ at: now + ms, wake })) })
  const times: number[] = []
  for (let i = 0; i < 500; i++) turnOf('c').then(() => times.push(now))
  while (times.length < 500) {
    for (let i = 0; i < 10; i++) await Promise.resolve()
    // A process that gets its turn every 70 ms only.
    now += 70
    const due = waiting.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at)
    waiting = waiting.filter(({ at }) => at > now)
    for (const { wake } of due) wake()
  }
  const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1000).length))
  expect(most).toBeLessThanOrEqual(100)
  // Nor does it let go much less.
  expect(now).toBeLessThan(5_600)
})
