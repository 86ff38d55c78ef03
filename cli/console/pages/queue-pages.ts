/** The pages of all topics, of one, and of a message. */
import { html } from 'hono/html'
import type { Message } from '../../../lambda/core/model/message.ts'
import type { TopicRow } from '../../../lambda/core/model/topic-row.ts'
import { depthOf } from '../../../lambda/core/model/topic-row.ts'
import { millisOfMsgid } from '../../../lambda/core/msgid.ts'
import { depthText, type Page, subscribersOf, type TopicDetails } from '../../operate/table-reads.ts'
import { line, link, payloadText, time, VIEWS, type View } from '../text.ts'
import { confirmed, empty, type Html, table } from './layout.ts'

const find = html`<form method="get" action="queue" class="find"><label for="topic">Topic</label>
<input id="topic" name="topic" required autocomplete="off"><button type="submit">Show</button></form>`

export function queues({ rows, next }: Page<TopicRow>): Html {
  const sorted = rows.toSorted((a, b) => depthOf(b).about - depthOf(a).about)
  const cells = sorted.map((row) => [
    html`<a href="${link('queue', { topic: row.topic })}">${line(row.topic)}</a>`,
    depthText(depthOf(row)),
    row.live.size + (row.spill > 0 ? '+' : ''),
    row.adds,
  ])
  return html`${find}
${rows.length === 0 ? empty(next === undefined ? 'No topic has a row yet.' : 'None on this page.') : table('Topics of this page, deepest first', ['topic', 'waits', 'subscribers', 'publishes'], cells)}
${next === undefined ? '' : html`<p><a rel="next" class="next" href="${link('queues', { after: next })}">Next page</a></p>`}`
}

export function queue(
  { row, depth, messages, gone }: TopicDetails,
  options: { readonly write: boolean; readonly view: View; readonly acked: Html },
): Html {
  const { topic } = row
  const live = subscribersOf(row)
  return html`<p><b>${depthText(depth)}</b> wait; ${row.adds} publishes so far.</p>
${
  live.length === 0
    ? empty('Nobody is subscribed to exactly this topic now.')
    : table(
        'Subscribers',
        ['client', 'subscribed by'],
        live.map(({ clientid, kind }) => [html`<a href="${link('client', { id: clientid })}">${line(clientid)}</a>`, kind]),
      )
}
<h2>Messages, newest first</h2>
${views(options.view, (view) => link('queue', { topic, view }))}
${messages.length === 0 ? empty('No message waits.') : messages.map((message) => card(message, options.view))}
${gone > 0 ? html`<p>${gone} ids have no message any more: the next reader removes them.</p>` : ''}
${options.acked}
${
  options.write && depth.about > 0
    ? confirmed(link('purge', { topic }), { label: 'Purge this queue', asks: 'All messages that wait here are deleted. Nobody gets them.' })
    : ''
}`
}

export const acked = (rows: readonly { readonly clientid: string; readonly msgid: string }[]): Html =>
  rows.length === 0
    ? html``
    : table(
        'Last acknowledgements',
        ['client', 'message'],
        rows.map(({ clientid, msgid }) => [html`<a href="${link('client', { id: clientid })}">${line(clientid)}</a>`, line(msgid)]),
      )

const views = (current: View, to: (view: View) => string): Html =>
  html`<p class="views">Payload as ${VIEWS.map(
    (view) => html`<a href="${to(view)}"${view === current ? html` aria-current="true"` : ''}>${view}</a> `,
  )}</p>`

export const card = (
  { msgid, topic, sender, qos, retain, payload, properties, arrived }: Message,
  view: View,
): Html => html`<article class="message">
<dl><div><dt>message</dt><dd><a href="${link('message', { id: msgid })}">${line(msgid)}</a></dd></div>
<div><dt>topic</dt><dd>${line(topic)}</dd></div>
<div><dt>from</dt><dd>${line(sender)}</dd></div><div><dt>at</dt><dd>${publishedAt(msgid, arrived)}</dd></div>
<div><dt>qos</dt><dd>${qos}${retain === 1 ? ', retained' : ''}</dd></div><div><dt>bytes</dt><dd>${payload.length}</dd></div>
${properties.user.map(([name, value]) => html`<div><dt>${line(name)}</dt><dd>${line(value)}</dd></div>`)}</dl>
<pre tabindex="0" aria-label="Payload">${payloadText(payload, view)}</pre></article>`

/** A row that another program wrote may have an id that tells no time. */
function publishedAt(msgid: string, arrived: number): string {
  try {
    return time(millisOfMsgid(msgid))
  } catch {
    return time(arrived * 1000)
  }
}

export const message = (one: Message, view: View): Html => html`${views(view, (next) => link('message', { id: one.msgid, view: next }))}
${card(one, view)}<p><a href="${link('queue', { topic: one.topic })}">The queue of its topic</a></p>`
