/** The routes of the forms. Each leads to a page that says what was done. */
import type { Context, Hono } from 'hono'
import { deleteRetained, kick, letters, publish, purge } from '../operate/deeds.ts'
import { runConf } from '../operate/local-run.ts'
import type { Site } from './site.ts'
import { line, link } from './text.ts'
import { refuseUnless } from './write-only.ts'

export function deedRoutes(app: Hono, { place, write }: Site): void {
  const deed = (path: string, run: (context: Context) => Promise<string>) =>
    app.post(path, async (context) => {
      refuseUnless(write)
      return context.redirect(await run(context), 303)
    })
  const asked = (context: Context, name: string): string => context.req.query(name) ?? ''

  deed('/kick', async (context) => {
    const id = asked(context, 'id')
    const { clean } = await context.req.parseBody()
    await kick(place, id, { clean: clean === '1' })
    return link('client', { id, done: 'The connection was ended. The row follows when its event is handled.' })
  })
  deed('/purge', async (context) => {
    const topic = asked(context, 'topic')
    const count = await purge(place, topic, (await runConf(place.dataUrl, place.conf)).table)
    return link('queue', { topic, done: `${count} messages were purged.` })
  })
  deed('/delete-retained', async (context) => {
    const topic = asked(context, 'topic')
    await deleteRetained(place, topic)
    return link('retained', { done: `IoT Core forgets the retained message of ${line(topic)}. The row follows when the event is handled.` })
  })
  deed('/redrive', async () => {
    const passes = await letters(place.dataUrl, { dryRun: false })
    const sum = (of: (pass: (typeof passes)[number]) => number) => passes.reduce((total, pass) => total + of(pass), 0)
    return link('dead-letters', { done: `${sum(({ redriven }) => redriven)} were sent again, ${sum(({ stays }) => stays.length)} stay.` })
  })
  deed('/publish', async (context) => {
    const { topic = '', payload = '', qos, retain } = await context.req.parseBody()
    await publish(place, { topic: `${topic}`, payload: `${payload}`, qos: qos === '0' ? 0 : 1, retain: retain === '1' })
    return link('try', { topic: `${topic}`, done: `Published on ${line(`${topic}`)}.` })
  })
}
