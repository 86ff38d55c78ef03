import { inTurnOf } from '../../../lambda/core/promises.ts'

it('runs so many at once, the others in their order, whether or not one fails', async () => {
  const inTurn = inTurnOf(3)
  const begun: number[] = []
  const ends: (() => void)[] = []
  const results = Array.from({ length: 7 }, (_, i) =>
    inTurn(
      () =>
        new Promise<number>((resolve, reject) => {
          begun.push(i)
          ends.push(() => (i % 2 === 0 ? resolve(i) : reject(new Error(`${i}`))))
        }),
    ),
  )
  const settled = Promise.allSettled(results)
  for (let ended = 0; ended < 7; ended++) {
    await new Promise(setImmediate)
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6].slice(0, ended + 3))
    ends[ended]!()
  }
  expect((await settled).map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, false, true, false, true])
})

it('begins at once again when all are done', async () => {
  const inTurn = inTurnOf(1)
  await inTurn(async () => 1)
  let begun = false
  const work = inTurn(async () => {
    begun = true
  })
  expect(begun).toBe(true)
  await work
})
