import { depth } from '../../bench/depth.ts'

describe('npm run bench -- --only depth --quick', () => {
  it('measures each hook beside its bound, having checked that the work was done', async () => {
    const figures = await depth({ quick: true, port: 0, progress: () => {} })
    const bounds = Object.fromEntries(figures.map(({ name, against = '' }) => [name, Number(/at most ([\d.]+)/.exec(against)?.[1])]))
    expect(bounds).toMatchObject({
      'depth of publish': 2.2,
      'depth of an ack by the ack topic': 3.2,
      'depth of an ack by PUBACK': 3.2,
      'depth of connect, after a disconnect': 1.2,
      'depth of disconnect without subscriptions': 1.2,
      'depth of exact retained lookup': 1.2,
      'depth of subscribe, 60 queued: the first message is on its way': 4.2,
    })
    expect(figures.every(({ value }) => Number.isFinite(value))).toBe(true)
    expect(figures.filter(({ ratio }) => ratio !== undefined).length).toBeGreaterThan(4)
  }, 120_000)
})
