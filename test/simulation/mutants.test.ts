/**
 * The simulation finds each fault that is built in on purpose. What is run is the command of the README, `npm run mutants`.
 *
 * @slow
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { search } from './mutant-search.ts'
import { MUTANTS } from './mutants.ts'

jest.setTimeout(900_000)

interface Ran {
  readonly code: unknown
  readonly stdout: string
  readonly stderr: string
}
const run = (...args: string[]) =>
  new Promise<Ran>((resolve) => {
    const file = join(import.meta.dirname, 'mutants-command.ts')
    execFile(process.execPath, ['--import', 'tsx', file, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    )
  })

/** Open: the histories do not show these any more since the check of a retained message runs beside its storing. */
const OPEN = new Set([
  'an acknowledgement that overtakes the name',
  'a retained message that was cleared comes back',
  'an empty publish clears nothing that is on its way',
])

describe('npm run mutants', () => {
  let ran: Ran
  beforeAll(async () => {
    ran = await run()
  })

  it.each(MUTANTS.map(({ name }) => name).filter((name) => !OPEN.has(name)))('finds: %s', (name) => {
    expect(ran.stdout.split('\n').find((line) => line.startsWith(`${name}  `))).toMatch(/^.* {2,}\d+ +\S/)
  })

  it('says how many are found: all but the open ones', () => {
    const [, found = '0'] = /(\d+) of \d+ mutants found\n$/.exec(ran.stdout) ?? []
    expect(Number(found)).toBeGreaterThanOrEqual(MUTANTS.length - OPEN.size)
  })
})

it('a mutant that no history shows survives, and the command fails', async () => {
  const { code, stdout } = await run('--only', 'an acknowledgement that overtakes the name', '--runs', '1')
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/ {2}SURVIVED 1 histories\n0 of 1 mutants found\n$/) })
})

it('refuses a mutant whose code is not there', async () => {
  const gone = { ...MUTANTS[0]!, from: 'code that nobody wrote' }
  await expect(search(gone, { seed: 1, runs: 1 })).rejects.toThrow(/has 0 times what it replaces/)
})
