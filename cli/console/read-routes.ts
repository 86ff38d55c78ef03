/** The pages that read. Names stand in the query: a path could not hold every client id. */
import type { Context, Hono } from 'hono'
import { html } from 'hono/html'
import { confInWords } from '../conf/conf-in-words.ts'
import { letters } from '../operate/deeds.ts'
import { runConf } from '../operate/local-run.ts'
import { NotFound } from '../operate/not-found.ts'
import { ackedOn, clientDetails, clientsPage, messageWith, retainedPage, topicDetails, topicsPage } from '../operate/table-reads.ts'
import { client, clients } from './pages/client-pages.ts'
import { type Frame, type Html, layout } from './pages/layout.ts'
import { deadLetters, hooks, retained, tryIt } from './pages/others.ts'
import { overview } from './pages/overview.ts'
import { acked, message, queue, queues } from './pages/queue-pages.ts'
import type { Site } from './site.ts'
import { line, VIEWS, type View } from './text.ts'

export function readRoutes(app: Hono, { place, monitor, write }: Site): void {
  const page = (at: Frame['at'], title: string, context: Context, body: Html) =>
    context.html(layout({ title, at, write, done: context.req.query('done') }, body))

  app.get('/', async (context) => {
    const state = await monitor.state()
    const part = html`<p role="status" data-state class="now">Connecting ...</p><div data-live="live">${overview(state, monitor.samples)}</div>`
    return page('.', 'Overview', context, part)
  })
  app.get('/clients', async (context) => page('clients', 'Clients', context, clients(await clientsPage(place, context.req.query('after')))))
  app.get('/client', async (context) => {
    const id = named(context, 'id')
    const found = await clientDetails(place, id)
    if (found === undefined) throw new NotFound(`no client ${JSON.stringify(id)} has ever connected: ids are case-sensitive, and whole`)
    return page('clients', `Client ${line(id)}`, context, client(found, { write }))
  })
  app.get('/queues', async (context) =>
    page('queues', 'Topics and queues', context, queues(await topicsPage(place, context.req.query('after')))),
  )
  app.get('/queue', async (context) => {
    const topic = named(context, 'topic')
    const [found, last] = await Promise.all([topicDetails(place, topic), ackedOn(place, topic)])
    if (found === undefined) throw new NotFound(`topic ${JSON.stringify(topic)} has no row: nothing was published on it that a queue keeps`)
    return page('queues', `Topic ${line(topic)}`, context, queue(found, { write, view: viewOf(context), acked: acked(last) }))
  })
  app.get('/message', async (context) => {
    const id = named(context, 'id')
    const found = await messageWith(place, id)
    if (found === undefined) throw new NotFound(`no message ${JSON.stringify(id)}: it was acknowledged, purged or has expired`)
    return page('queues', `Message ${line(id)}`, context, message(found, viewOf(context)))
  })
  app.get('/retained', async (context) =>
    page(
      'retained',
      'Retained',
      context,
      retained(await retainedPage(place, context.req.query('after')), { write, view: viewOf(context) }),
    ),
  )
  app.get('/dead-letters', async (context) =>
    page('dead-letters', 'Dead letters', context, deadLetters(await letters(place.dataUrl, { dryRun: true }), { write })),
  )
  app.get('/hooks', async (context) => {
    const { file, table } = await runConf(place.dataUrl, place.conf)
    return page('hooks', 'Hooks', context, hooks(confInWords(file, table)))
  })
  app.get('/try', (context) => {
    const { topic = '', filter = '' } = context.req.query()
    return page('try', 'Try it', context, tryIt({ write, topic, filter }))
  })
}

/** @throws NotFound */
function named(context: Context, name: string): string {
  const value = context.req.query(name)
  if (value === undefined || value === '') throw new NotFound(`no ${name} was given`)
  return value
}

const viewOf = (context: Context): View => VIEWS.find((view) => view === context.req.query('view')) ?? 'text'
