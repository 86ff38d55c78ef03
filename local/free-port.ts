import { createServer } from 'node:net'

/** A TCP port that was free a moment ago, for programs that cannot choose one. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on('error', reject)
    probe.listen(0, () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no TCP port'))))
    })
  })
}
