/** What all pages share: landmarks, navigation, messages, tables with links. */
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

export const PAGES = [
  ['.', 'Overview'],
  ['clients', 'Clients'],
  ['queues', 'Topics and queues'],
  ['retained', 'Retained'],
  ['dead-letters', 'Dead letters'],
  ['hooks', 'Hooks'],
  ['try', 'Try it'],
] as const

export interface Frame {
  readonly title: string
  /** Address of the page that is current in the navigation. */
  readonly at: (typeof PAGES)[number][0]
  readonly write: boolean
  /** What was just done. */
  readonly done?: string | undefined
}

export const layout = ({ title, at, write, done }: Frame, body: Html): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} - mqtt-dynamodb console</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="console.css">
<script src="console.js" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header><strong>mqtt-dynamodb</strong> <span class="badge">local run</span> <span class="badge">${write ? 'may write' : 'read only'}</span></header>
<nav aria-label="Pages"><ul>${PAGES.map(
  ([page, name]) => html`<li><a href="${page}"${page === at ? html` aria-current="page"` : ''}>${name}</a></li>`,
)}</ul></nav>
<main id="main" tabindex="-1">
<h1>${title}</h1>
${done === undefined ? '' : html`<p class="done" role="status">${done}</p>`}
${body}
</main>
<footer>Times are UTC. Reading marks nothing as read.</footer>
</body>
</html>`

/** @param cells of each row */
export const table = (caption: string, heads: readonly string[], rows: readonly (readonly (Html | string | number)[])[]): Html => html`
<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div>`

export const empty = (why: string): Html => html`<p class="empty">${why}</p>`

interface Confirmed {
  readonly label: string
  readonly asks: string
  readonly fields?: Html
}

/**
 * A button that says in a second step what it will do. It needs no script.
 * @param action an address that names what the button acts on: the fields of a form would change line breaks and U+0000
 */
export const confirmed = (action: string, { label, asks, fields = html`` }: Confirmed): Html => html`
<details class="danger"><summary>${label}</summary>
<form method="post" action="${action}"><p>${asks}</p>${fields}<button type="submit">Yes: ${label}</button></form></details>`

export const hidden = (name: string, value: string): Html => html`<input type="hidden" name="${name}" value="${value}">`
