/** Retained messages, dead letters, hooks, and the page to try things. */
import { html } from 'hono/html'
import type { Message } from '../../../lambda/core/model/message.ts'
import type { PassReport } from '../../dead-letters/queue-pass.ts'
import type { Page } from '../../operate/table-reads.ts'
import type { Received } from '../subscriber.ts'
import { line, lines, link, time, type View } from '../text.ts'
import { confirmed, empty, type Html, hidden, table } from './layout.ts'
import { card } from './queue-pages.ts'

export const retained = ({ rows, next }: Page<Message>, { write, view }: { readonly write: boolean; readonly view: View }): Html => html`
${rows.length === 0 ? empty('No topic has a retained message.') : ''}
${rows.map(
  (message) =>
    html`<h2>${line(message.topic)}</h2>${card(message, view)}${
      write
        ? confirmed(link('delete-retained', { topic: message.topic }), {
            label: 'Delete',
            asks: 'An empty retained message is published: IoT Core and the table forget this one.',
          })
        : ''
    }`,
)}
${next === undefined ? '' : html`<p><a rel="next" class="next" href="${link('retained', { after: next })}">Next page</a></p>`}`

export function deadLetters(passes: readonly PassReport[], { write }: { readonly write: boolean }): Html {
  const rows = passes.flatMap(({ name, sendable = [], stays }) => [
    ...sendable.map(({ messageId, sentAt }) => [line(name), messageId, time(sentAt), 'can be sent again']),
    ...stays.map(({ messageId, sentAt, code, why }) => [line(name), messageId, time(sentAt), line(`${code}: ${why}`)]),
  ])
  const sendable = passes.reduce((total, { redriven }) => total + redriven, 0)
  if (rows.length === 0) return empty('There are no dead letters and no rule errors.')
  return html`${table('What did not get through', ['hook', 'letter', 'came', 'what can be done'], rows)}
${
  write && sendable > 0
    ? confirmed('redrive', { label: `Redrive ${sendable}`, asks: 'What can succeed goes to its queue again; the rest stays.' })
    : ''
}`
}

export const hooks = (words: string): Html => html`<pre tabindex="0" class="wide" aria-label="The conf in words">${lines(words)}</pre>`

export interface Trial {
  readonly write: boolean
  readonly topic: string
  readonly filter: string
}

export const tryIt = ({ write, topic, filter }: Trial): Html => html`<div class="two">
<section aria-labelledby="publish"><h2 id="publish">Publish</h2>${
  write
    ? html`<form method="post" action="publish" class="fields">
<label>Topic <input name="topic" value="${topic}" required autocomplete="off"></label>
<label>Payload <textarea name="payload" rows="3"></textarea></label>
<label>QoS <select name="qos"><option>1</option><option>0</option></select></label>
<label class="inline"><input type="checkbox" name="retain" value="1"> retain</label>
<button type="submit">Publish</button></form>`
    : empty('The console only reads: start it with --write.')
}
${topic === '' ? '' : html`<p><a href="${link('queue', { topic })}">What waits on ${line(topic)}</a></p>`}</section>
<section aria-labelledby="subscribe"><h2 id="subscribe">Subscribe</h2>
<p>A client of its own subscribes while this page is open. On an exact topic it gets what waits there, and acknowledges it.</p>
${
  write
    ? html`<form method="get" action="try" class="fields"><label>Filter <input name="filter" value="${filter}" required autocomplete="off"></label>
${hidden('topic', topic)}<button type="submit">Subscribe at QoS 1</button></form>`
    : empty('It would take messages off their queue: start the console with --write.')
}
${
  write && filter !== ''
    ? html`<p role="status" data-state>Connecting ...</p><ol data-append="${link('try-live', { filter })}" class="received" aria-label="Received" aria-live="polite"></ol>`
    : ''
}</section></div>`

export const received = ({ topic, payload, qos }: Received): Html =>
  html`<li><b>${line(topic)}</b> <small>qos ${qos}</small><pre>${payload}</pre></li>`
