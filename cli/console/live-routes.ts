/** Parts of pages that change by themselves, as server-sent events. */
import type { Hono } from 'hono'
import { type SSEStreamingApi, streamSSE } from 'hono/streaming'
import { received } from './pages/others.ts'
import { overview } from './pages/overview.ts'
import type { Site } from './site.ts'
import { refuseUnless } from './write-only.ts'

const EVERY_MS = 2_000

export function liveRoutes(app: Hono, { place, monitor, write }: Site): void {
  app.get('/live', (context) =>
    streamSSE(context, async (stream) => {
      while (!stream.aborted) {
        try {
          const state = await monitor.state()
          await stream.writeSSE({ event: 'part', data: await overview(state, monitor.samples).toString() })
        } catch (error) {
          await stream.writeSSE({ event: 'problem', data: (error as Error).message })
        }
        await stream.sleep(EVERY_MS)
      }
    }),
  )
  app.get('/try-live', (context) => {
    refuseUnless(write)
    return streamSSE(context, (stream) => subscribed(stream, place.mqttUrl, context.req.query('filter') ?? ''))
  })
}

async function subscribed(stream: SSEStreamingApi, mqttUrl: string, filter: string): Promise<void> {
  const left = new Promise<void>((resolve) => stream.onAbort(resolve))
  try {
    const { subscriber } = await import('./subscriber.ts')
    const end = await subscriber(mqttUrl, filter, async (message) => {
      await stream.writeSSE({ event: 'part', data: await received(message).toString() })
    })
    await stream.writeSSE({ event: 'state', data: 'Subscribed.' })
    await left
    await end()
  } catch (error) {
    await stream.writeSSE({ event: 'state', data: `The broker refused: ${(error as Error).message}` })
    // A stream that ends is asked for again at once.
    await left
  }
}
