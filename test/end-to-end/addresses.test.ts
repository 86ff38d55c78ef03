/** The whole run on addresses other than 127.0.0.1: a publish must reach its table. */
import { synthesize } from '../../local/template/assembly.ts'
import { startBackend } from './backend.ts'

test('on ::1 and on all interfaces a publish is stored, and what is open to others is said', async () => {
  const assembly = await synthesize({}, () => undefined)
  try {
    for (const [host, url, warnings] of [
      ['::1', /^\w+:\/\/\[::1\]:\d+$/, 0],
      ['::', /^\w+:\/\/\[::1\]:\d+$/, 1],
      ['0.0.0.0', /^\w+:\/\/127\.0\.0\.1:\d+$/, 1],
    ] as const) {
      const backend = await startBackend({ assembly: assembly.directory, host })
      try {
        for (const shown of [backend.mqttUrl, backend.dataUrl, backend.dynamodbUrl]) expect(shown).toMatch(url)
        const { client } = await backend.connect('sender')
        await client.publishAsync('t/1', 'hello', { qos: 1 })
        await backend.idle()
        expect(await backend.rows('mqtt_msg')).toHaveLength(1)
        const said = backend.said.filter((line) => line.startsWith('listens on'))
        expect(said).toHaveLength(warnings)
        if (warnings > 0) expect(said[0]).toContain('whoever reaches this address may read, publish and delete everything')
      } finally {
        await backend.close()
      }
    }
  } finally {
    await assembly.remove()
  }
}, 120_000)

test('refuses a host that no URL can have', async () => {
  await expect(startBackend({ host: 'fe80::1%eth0', assembly: '/nowhere' })).rejects.toThrow(/^--host is "fe80::1%eth0", wanted/)
})
