/** The far end as a process of its own, so that it costs the handlers beside it no CPU. Started by cloud.ts, which it does not outlive. */
import { startEmbedded } from '../local/dynamodb/embedded.ts'
import type { CloudCall, CloudUrls } from './cloud.ts'
import { startDelayProxy } from './delay-proxy.ts'
import { startPubackServer } from './puback-server.ts'

process.once('disconnect', () => process.exit())

const engine = await startEmbedded({ host: '127.0.0.1', port: 0, inWorker: true })
const devices = await startPubackServer()
const dynamodb = await startDelayProxy(engine.url)
const iot = await startDelayProxy(devices.url, ({ method }) => (method === 'POST' ? 'SendDirectMessage' : 'Get'))

const calls: Readonly<Record<CloudCall['call'], (value: CloudCall) => unknown>> = {
  set(call) {
    dynamodb.delay = call.dynamodb ?? dynamodb.delay
    iot.delay = call.iot ?? iot.delay
    devices.puback = call.puback ?? devices.puback
  },
  traffic: () => dynamodb.traffic(),
  delivered: () => devices.delivered(),
}

process.on('message', (call: CloudCall) => process.send?.({ id: call.id, answer: calls[call.call](call) }))
process.send?.({ engine: engine.url, dynamodb: dynamodb.url, devices: devices.url, iot: iot.url } satisfies CloudUrls)
