import type { Ports } from '../lambda/core/model/ports.ts'

/** When a handler's direct messages began and ended, on this process's clock. */
export function watchedSends() {
  const nothing = { sends: 0, firstSend: 0, lastSend: 0, lastAck: 0 }
  const watch = {
    ...nothing,
    reset: () => Object.assign(watch, nothing),
    on: (ports: Ports): Ports => ({
      ...ports,
      device: {
        ...ports.device,
        async send(...args) {
          watch.lastSend = performance.now()
          if (watch.sends++ === 0) watch.firstSend = watch.lastSend
          const outcome = await ports.device.send(...args)
          watch.lastAck = performance.now()
          return outcome
        },
      },
    }),
  }
  return watch
}
