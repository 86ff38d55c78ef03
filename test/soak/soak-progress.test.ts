import { progressOn } from './soak-progress.ts'

function onto(isTTY: boolean) {
  const said: string[] = []
  let now = 0
  const progress = progressOn({ isTTY, write: (text) => said.push(text) }, () => now)
  const later = (milliseconds: number) => {
    now += milliseconds
  }
  return { said, progress, later }
}

test('elsewhere than on a terminal: a plain line every five seconds', () => {
  const { said, progress, later } = onto(false)
  progress.phase('publishing', 100)
  for (let i = 0; i <= 60; i++) {
    progress.at(i)
    later(100)
  }
  progress.end()
  expect(said).toEqual(['soak: publishing\n', 'soak: publishing, 50 of 100\n'])
  expect(progress.name).toBe('publishing')
})

test('on a terminal: a bar that is drawn over itself', () => {
  const { said, progress, later } = onto(true)
  progress.phase('publishing', 100)
  later(1_000)
  progress.at(50)
  expect(said.at(-1)).toBe(`\r\x1b[Kpublishing [${'#'.repeat(15)}${'.'.repeat(15)}] 50 of 100`)
  progress.phase('draining')
  expect(said.slice(-2)).toEqual(['\n', '\r\x1b[Kdraining 0'])
})
