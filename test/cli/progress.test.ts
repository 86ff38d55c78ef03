/** How commands tell how far they are. */
import { Progress } from '../../cli/command-line/progress.ts'

function onto(isTTY: boolean) {
  const said: string[] = []
  let now = 0
  const progress = new Progress('soak', { isTTY, write: (text) => said.push(text) }, () => now)
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
  expect(said).toEqual(['soak: publishing\n', 'soak: publishing, 50 of 100, 5 s left\n'])
  expect([progress.name, progress.seconds]).toEqual(['publishing', 6.1])
})

test('work that is quickly done says nothing elsewhere than on a terminal', () => {
  const { said, progress, later } = onto(false)
  progress.begin('letters')
  later(4_999)
  progress.at(3)
  progress.end()
  expect(said).toEqual([])
})

test('on a terminal: a bar that is drawn over itself', () => {
  const { said, progress, later } = onto(true)
  progress.begin('publishing', 100)
  later(1_000)
  progress.at(50, '2 killed')
  expect(said.at(-1)).toBe(`\r\x1b[Kpublishing [${'#'.repeat(15)}${'.'.repeat(15)}] 50 of 100, 2 killed, 1 s left`)
  later(99)
  progress.at(55)
  expect(said).toHaveLength(1)
  progress.phase('draining')
  expect(said.slice(1)).toEqual(['\r\x1b[K', 'soak: draining\n'])
  later(1)
  progress.at(7)
  expect(said.at(-1)).toBe('\r\x1b[Kdraining 7')
  progress.end()
  expect(said.at(-1)).toBe('\r\x1b[K')
})
