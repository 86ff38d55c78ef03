/** `npm run simulate` as a process: a campaign, and one history. */
import { ended, runProgram } from '../support/run-program.ts'

jest.setTimeout(120_000)

const simulate = async (...args: string[]) => {
  const { status, out } = await ended(runProgram('test/simulation/simulate-command.ts', args))
  return { status, out }
}

test('a campaign says what was covered, and that nothing is violated', async () => {
  const said = /^20 histories in \d+ s .*, 0 kinds of violations\n[1-9][\d,]* messages, /
  expect(await simulate('--runs', '20', '--seed', '100', '--jobs', '2')).toEqual({ status: 0, out: expect.stringMatching(said) })
})

test('a history is told, and that it violates nothing', async () => {
  const { status, out } = await simulate('--seed', '7')
  expect([status, out.trim().split('\n').at(-1)]).toEqual([0, 'seed 7: nothing is violated'])
  expect(out.split('\n').length).toBeGreaterThan(20)
})
