/**
 * `traceid()` of a publish: a UUID. Its first 12 hex digits grow with every publish, also within a millisecond, so that message
 * ids keep the order of publishing. IoT Core's own trace ids promise no order.
 */
import { randomBytes } from 'node:crypto'

/** 48 bits hold the time in hundredths of a millisecond until 2059. */
const PER_MILLISECOND = 100

export function traceIds(now: () => number = Date.now): () => string {
  let last = 0
  return () => {
    last = Math.max(last + 1, now() * PER_MILLISECOND)
    const time = last.toString(16).padStart(12, '0')
    const random = randomBytes(10)
    random[0] = 0x40 | (random[0]! & 0x0f)
    random[2] = 0x80 | (random[2]! & 0x3f)
    const rest = random.toString('hex')
    return `${time.slice(0, 8)}-${time.slice(8)}-${rest.slice(0, 4)}-${rest.slice(4, 8)}-${rest.slice(8)}`
  }
}
