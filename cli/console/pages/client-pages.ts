/** The pages of all clients and of one. */
import { html } from 'hono/html'
import { hasWildcard, parseSubscription } from '../../../lambda/core/topic.ts'
import { type ClientDetails, type ClientRow, depthText, type Page } from '../../operate/table-reads.ts'
import { line, link, time } from '../text.ts'
import { confirmed, empty, type Html, table } from './layout.ts'

const find = html`<form method="get" action="client" class="find"><label for="id">Client id</label>
<input id="id" name="id" required autocomplete="off"><button type="submit">Show</button></form>`

const state = (online: boolean): Html => html`<span class="${online ? 'on' : 'off'}">${online ? 'online' : 'offline'}</span>`

export function clients({ rows, next }: Page<ClientRow>): Html {
  const cells = rows.map(({ clientid, online, at, ip = '-', reason = '' }) => [
    html`<a href="${link('client', { id: clientid })}">${line(clientid)}</a>`,
    state(online),
    time(at),
    line(ip),
    line(online ? '' : reason),
  ])
  return html`${find}
${rows.length === 0 ? empty('No client has connected yet.') : table('Clients', ['client', 'state', 'since', 'address', 'ended by'], cells)}
${next === undefined ? '' : html`<p><a rel="next" class="next" href="${link('clients', { after: next })}">Next page</a></p>`}`
}

export function client({ presence, subscriptions, waiting }: ClientDetails, { write }: { readonly write: boolean }): Html {
  const { clientid, connected, onlineAt, offlineAt } = presence
  const rows = subscriptions.map(({ topic, qos, origin }) => {
    const { filter } = parseSubscription(topic)
    const queue = hasWildcard(filter) ? line(topic) : html`<a href="${link('queue', { topic: filter })}">${line(topic)}</a>`
    return [
      queue,
      qos,
      origin === 'client' ? 'itself' : "an operator's row",
      hasWildcard(filter) ? 'no queue' : depthText(waiting.get(filter) ?? { about: 0, exact: true }),
    ]
  })
  return html`<p>${state(connected)}; connected at ${time(onlineAt * 1000)}, disconnected at ${time(offlineAt * 1000)}</p>
${rows.length === 0 ? empty('It has no subscriptions.') : table('Subscriptions', ['filter', 'qos', 'subscribed by', 'waits, about'], rows)}
${
  write && connected
    ? confirmed(link('kick', { id: clientid }), {
        label: 'Kick this client',
        asks: 'IoT Core ends its connection. It may come back at once.',
        fields: html`<label><input type="checkbox" name="clean" value="1"> end its session too</label>`,
      })
    : ''
}`
}
