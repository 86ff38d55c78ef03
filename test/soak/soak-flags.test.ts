import { read } from '../support/run-program.ts'
import { flags, replayOf } from './soak-flags.ts'

const DEFAULTS = { clients: 50, topics: 100, publishes: 20_000, kills: 20, restarts: 2, dynamodb: 'embedded', seed: 1 } as const

test('defaults', () => {
  expect(read(flags())).toEqual({ ...DEFAULTS, minutesLimit: 30 })
})

test('the command to replay says all that matters', () => {
  const options = { ...DEFAULTS, clients: 8, topics: 6, publishes: 600, kills: 0, restarts: 1, dynamodb: 'local' as const, seed: 0 }
  const [, typed] = replayOf(options).split(' -- ')
  expect(read(flags(), ...typed!.split(' '))).toMatchObject(options)
})

test('no kills and no restarts are no mistake', () => {
  expect(read(flags(), '--kills', '0', '--restarts', '0')).toMatchObject({ kills: 0, restarts: 0 })
})
