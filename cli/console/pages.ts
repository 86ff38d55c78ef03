/** The pages as a web application. open-console.ts decides before who may see them. */
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { secureHeaders } from 'hono/secure-headers'
import { BackendError } from '../../lambda/core/errors.ts'
import { refusalOf } from '../dead-letters/sqs-client.ts'
import { NotFound } from '../operate/not-found.ts'
import { deedRoutes } from './deed-routes.ts'
import { liveRoutes } from './live-routes.ts'
import { Monitor } from './monitor.ts'
import { layout } from './pages/layout.ts'
import { type PlaceUrls, placeAt } from './place.ts'
import { readRoutes } from './read-routes.ts'
import type { Site } from './site.ts'

export function pagesOf(urls: PlaceUrls, { write }: { readonly write: boolean }): { listener: RequestListener; close(): void } {
  const place = placeAt(urls)
  const monitor = new Monitor(place.dataUrl)
  const site: Site = { place, monitor, write }
  const app = new Hono()
  app.use(secureHeaders(HEADERS), async (context, next) => {
    await next()
    context.res.headers.set('cache-control', 'no-store')
  })
  app.get('/console.css', (context) => context.body(asset('console.css'), 200, { 'content-type': 'text/css; charset=utf-8' }))
  app.get('/console.js', (context) => context.body(asset('console.js'), 200, { 'content-type': 'text/javascript; charset=utf-8' }))
  readRoutes(app, site)
  liveRoutes(app, site)
  deedRoutes(app, site)
  app.notFound((context) => problem(context, site, new NotFound('there is no such page')))
  app.onError((error, context) => problem(context, site, error))
  const close = () => {
    monitor.close()
    place.close()
  }
  return { listener: getRequestListener(app.fetch, { overrideGlobalObjects: false }), close }
}

/** No inline script or style, and no request to another host. `same-origin`: with less, a form would send no Origin. */
const HEADERS: Parameters<typeof secureHeaders>[0] = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ['data:'],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  referrerPolicy: 'same-origin',
  xFrameOptions: 'DENY',
  // For https only.
  strictTransportSecurity: false,
}

const asset = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8')

/** What went wrong, in one line, and what to do. */
function problem(context: Context, { write, place }: Site, error: Error): Response | Promise<Response> {
  const [status, title] =
    error instanceof NotFound ? ([404, 'Not found'] as const) : ([error instanceof BackendError ? 400 : 502, 'It did not work'] as const)
  const said =
    error instanceof NotFound ? error.message : refusalOf(error, { endpoint: `${place.dynamodbUrl} or ${place.dataUrl}` }, 'The local run')
  if (said === undefined) process.stderr.write(`console: ${error.stack}\n`)
  const body = html`<p class="error" role="alert">${said ?? 'An error that nobody expected: the terminal of the console has it.'}</p><p><a href=".">Overview</a></p>`
  return context.html(layout({ title, at: '.', write }, body), status)
}
