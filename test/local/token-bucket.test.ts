import { TokenBucket, TokenBuckets } from '../../local/token-bucket.ts'

test('so many a second, and so many at once', () => {
  let now = 0
  const bucket = new TokenBucket(10, 2, () => now)
  expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, false])
  now = 100
  expect([bucket.take(), bucket.take()]).toEqual([true, false])
  now = 10_000
  expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, false])
})

test('what is spent beyond the rate has to be waited for', () => {
  let now = 0
  const bucket = new TokenBucket(1000, 1000, () => now)
  expect(bucket.spend(1000)).toBe(0)
  expect(bucket.spend(500)).toBe(500)
  now = 500
  expect(bucket.spend(0)).toBe(0)
})

test('each key has its own', () => {
  const buckets = new TokenBuckets(1)
  expect([buckets.take('a'), buckets.take('a'), buckets.take('b')]).toEqual([true, false, true])
})
