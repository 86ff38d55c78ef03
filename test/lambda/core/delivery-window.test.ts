import {
  BYTES_PER_SECOND,
  CLEAN_DOUBT,
  crowded,
  idsIn,
  LONGEST_KEEP_ALIVE,
  lostDoubt,
  MARGIN,
  PUBLISHES_PER_SECOND,
  windowOf,
} from '../../../lambda/core/model/delivery-window.ts'
import { encodeMsgid } from '../../../lambda/core/msgid.ts'

const START = 1_800_000_000_000
let sequence = 0
const idAt = (ms: number) => encodeMsgid({ micros: BigInt(START + ms) * 1000n, node: 1n, sequence: sequence++ % 65_536 })
const window = { from: START + 1_000, to: START + 9_000 }

describe('the ids in a window', () => {
  it.each([
    ['before the window', 999, 0],
    ['its first millisecond', 1_000, 1],
    ['inside', 5_000, 1],
    ['its last millisecond', 9_000, 1],
    ['after it', 9_001, 0],
  ])('%s', (_name, at, count) => {
    expect(idsIn([idAt(at)], window)).toHaveLength(count)
  })

  it('are none in an empty window', () => {
    expect(idsIn([idAt(5_000)], { from: window.to, to: window.from })).toEqual([])
  })
})

describe('a second with more than IoT Core delivers', () => {
  const evenly = (count: number, from: number, length: number) =>
    Array.from({ length: count }, (_, i) => idAt(from + Math.floor((i * length) / count)))
  const few = () => 0

  it.each([
    [`${PUBLISHES_PER_SECOND} in a second: as many as it delivers`, PUBLISHES_PER_SECOND, 1_000, 0],
    ['one more in a second: none of them is sure', PUBLISHES_PER_SECOND + 1, 1_000, PUBLISHES_PER_SECOND + 1],
    ['one more in a little over a second', PUBLISHES_PER_SECOND + 1, 1_020, 0],
  ])('%s', (_name, count, length, found) => {
    expect(crowded(evenly(count, 3_000, length), few).size).toBe(found)
  })

  it.each([
    ['as many bytes as it delivers', 4, BYTES_PER_SECOND / 4, 0],
    ['one byte more', 4, BYTES_PER_SECOND / 4 + 1, 4],
    ['the same bytes in more than a second', 5, BYTES_PER_SECOND / 4, 0],
  ])('%s', (_name, count, bytes, found) => {
    expect(crowded(evenly(count, 3_000, 250 * count), () => bytes).size).toBe(found)
  })

  it('leaves those before and after it alone', () => {
    const quiet = [idAt(2_000), idAt(7_000)]
    const crowd = [...evenly(60, 8_500, 500), ...evenly(60, 9_001, 400)]
    expect(crowded([...crowd, ...quiet], few)).toEqual(new Set(crowd))
  })

  it('is found in any order', () => {
    const ids = evenly(PUBLISHES_PER_SECOND + 1, 3_000, 900)
    expect(crowded(ids.toReversed(), few).size).toBe(ids.length)
  })
})

describe('the window of a subscription', () => {
  const live = { kind: 'client', session: 's', since: START, at: START + 5_000 } as const
  it('begins a margin after the first SUBSCRIBE and ends a doubt before its end', () => {
    expect(windowOf(live, START + 60_000, 3_000)).toEqual({ from: START + MARGIN, to: START + 57_000 })
  })

  it.each([
    ["a client's keep-alive: one and a half of it [MQTT-3.1.2-24]", 60, 90_000 + CLEAN_DOUBT],
    ['unknown: the longest', undefined, 1_500 * LONGEST_KEEP_ALIVE + CLEAN_DOUBT],
    ['0, which IoT Core takes for its longest', 0, 1_500 * LONGEST_KEEP_ALIVE + CLEAN_DOUBT],
  ])('the doubt of a lost connection: %s', (_name, keepAlive, doubt) => {
    expect(lostDoubt(keepAlive)).toBe(doubt)
  })
})
