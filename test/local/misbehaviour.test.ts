import { type Misbehaviours, misbehave, WELL_BEHAVED } from '../../local/misbehaviour.ts'

const draws = (chances: Partial<Misbehaviours>, seed = 1) => {
  const misbehaviour = misbehave({ ...WELL_BEHAVED, ...chances }, seed)
  return Array.from({ length: 2000 }, () => misbehaviour.copies())
}
const share = (all: number[][], is: (copies: number[]) => boolean) => all.filter(is).length / all.length

test('well behaved: every event once, at once, every PUBACK heard', () => {
  expect(draws({}).every((copies) => copies.length === 1 && copies[0] === 0)).toBe(true)
  expect(misbehave(WELL_BEHAVED, 1).hearsPuback()).toBe(true)
})

test('the same seed misbehaves the same way, another does not', () => {
  const chances = { duplicate: 0.3, reorder: 0.2, delay: 0.1 }
  expect(draws(chances, 5)).toEqual(draws(chances, 5))
  expect(draws(chances, 5)).not.toEqual(draws(chances, 6))
})

test.each<[keyof Misbehaviours, (copies: number[]) => boolean]>([
  ['duplicate', (copies) => copies.length === 2],
  ['reorder', ([delay]) => delay! > 0 && delay! <= 251],
  ['delay', ([delay]) => delay! > 0 && delay! <= 2001],
])('%s happens as often as it should', (name, is) => {
  expect(share(draws({ [name]: 0.25 }), is)).toBeCloseTo(0.25, 1)
  expect(share(draws({ [name]: 1 }), is)).toBe(1)
})

test('PUBACKs are dropped as often as they should', () => {
  const misbehaviour = misbehave({ ...WELL_BEHAVED, dropPuback: 0.25 }, 1)
  const heard = Array.from({ length: 2000 }, () => misbehaviour.hearsPuback()).filter(Boolean).length
  expect(heard / 2000).toBeCloseTo(0.75, 1)
})

test('actions of rules fail as often as they should', () => {
  const misbehaviour = misbehave({ ...WELL_BEHAVED, failAction: 0.25 }, 1)
  const failed = Array.from({ length: 2000 }, () => misbehaviour.failsAction()).filter(Boolean).length
  expect(failed / 2000).toBeCloseTo(0.25, 1)
  expect(misbehave(WELL_BEHAVED, 1).failsAction()).toBe(false)
})
