/** `npx tsx test/cli/console/screenshots-command.ts`: the images of docs/console.md, of a run with a few devices. It needs a Chromium. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import mqtt from 'mqtt'
import { openConsole } from '../../../cli/console/open-console.ts'
import { startLocalStack } from '../../../local/stack.ts'
import { startChromium } from '../../support/chromium.ts'

const IMAGES = join(import.meta.dirname, '..', '..', '..', 'docs', 'images')
const LOOKED_MS = 24_000

const stack = await startLocalStack()
const opened = await openConsole({ host: '127.0.0.1', port: 0, write: true, place: stack })
const browser = await startChromium()
const page = await browser.newPage({ viewport: { width: 1000, height: 640 } })

const ids = ['pump-1', 'pump-2', 'pump-3', 'valve-7', 'gateway']
const devices = await Promise.all(ids.map((clientId) => mqtt.connectAsync(stack.mqttUrl, { clientId })))
for (const [i, device] of devices.entries()) await device.subscribeAsync(`cmd/${ids[i]}`, { qos: 1 })
const publishing = setInterval(() => {
  for (const device of devices.slice(0, 1 + (Date.now() % 4))) void device.publishAsync('plant/state', '{"on":true}', { qos: 1 })
}, 500)
await devices[4]!.publishAsync('cmd/pump-9', '{"valve": "open", "percent": 40}', { qos: 1 })
await devices[4]!.publishAsync('cmd/pump-9', '{"valve": "close"}', { qos: 1 })

mkdirSync(IMAGES, { recursive: true })
const shot = (name: string) => page.screenshot({ path: join(IMAGES, `console-${name}.png`) })
await page.goto(opened.url)
await page.waitForTimeout(LOOKED_MS)
await shot('overview')
clearInterval(publishing)
await page.emulateMedia({ colorScheme: 'dark' })
await page.goto(`${opened.url}queue?topic=cmd%2Fpump-9&view=json`)
await shot('queue')
await page.setViewportSize({ width: 400, height: 700 })
await page.emulateMedia({ colorScheme: 'light' })
await page.goto(`${opened.url}clients`)
await shot('clients')

await browser.close()
await Promise.all(devices.map((device) => device.endAsync(true)))
await opened.close()
await stack.close()
