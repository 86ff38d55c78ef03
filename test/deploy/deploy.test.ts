/**
 * The stack's whole life on an AWS engine that is not ours: `npm run deploy:try`, one test a step.
 *
 * @seconds 40
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GAPS } from './engine-gaps.ts'
import { installEngine } from './engine-install.ts'
import { type Ground, prepareGround } from './ground.ts'
import { STEPS } from './trial-steps.ts'

jest.setTimeout(170_000)

const engine = installEngine()
if ('missing' in engine) process.stdout.write(`deploy:try is skipped: ${engine.missing}\n`)

;('missing' in engine ? describe.skip : describe)('the stack on an engine that is not ours', () => {
  let ground: Ground
  beforeAll(async () => {
    ground = await prepareGround((engine as { python: string }).python)
  })
  afterAll(async () => await ground?.close())

  it.each(STEPS.map((step) => [step.name, step] as const))('%s', async (_name, { run }) => {
    await run(ground)
  })
})

it.each(GAPS.map(({ gap }) => [gap]))('docs/testing.md says: %s', (gap) => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'testing.md'), 'utf8')
  expect(page).toContain(`- ${gap}\n`)
})
