/** The overview: what is wrong first, then the last five minutes. */
import { html } from 'hono/html'
import type { LocalRunState } from '../../operate/local-run.ts'
import type { Sample } from '../monitor.ts'
import { line } from '../text.ts'
import { chart } from './chart.ts'
import { empty, type Html, table } from './layout.ts'

/** The part that is sent again while somebody looks. */
export const overview = (state: LocalRunState, samples: readonly Sample[]): Html => html`
<section aria-label="What is wrong">${wrong(state)}</section>
<section aria-label="The last five minutes" class="charts">
${chart({ title: 'Connected clients', unit: '', values: samples.map(({ connected }) => connected) })}
${chart({ title: 'Publishes', unit: 'stored a second', values: samples.map(({ publishes }) => publishes) })}
${chart({ title: 'Deliveries', unit: 'by us, acknowledged, a second', values: samples.map(({ deliveries }) => deliveries) })}
${chart({ title: 'Backlog', unit: 'events that wait', values: samples.map(({ backlog }) => backlog) })}
${chart({ title: 'Failures', unit: 'a second', values: samples.map(({ failures }) => failures), bad: true })}
</section>
<p class="now">Now: <b>${state.connected}</b> connected. Since the run began: <b>${state.published}</b> publishes stored, <b>${state.delivered}</b> deliveries, <b>${state.failed}</b> failures.
Deepest queue that a publish met: <b>${state.deepest === 0 ? 'no backlog' : `about ${state.deepest} messages`}</b>.</p>
${table(
  'Queues of the hooks',
  ['queue', 'waiting', 'in flight', 'dead letters'],
  state.queues.map(({ name, waiting, inFlight, deadLetters }) => [line(name), waiting, inFlight, deadLetters]),
)}`

function wrong({ queues, ruleErrors, errors }: LocalRunState): Html {
  const dead = queues.filter(({ deadLetters }) => deadLetters > 0)
  if (dead.length === 0 && ruleErrors === 0 && errors.size === 0) return empty('Nothing is wrong.')
  return html`<ul class="wrong">
${dead.map(({ name, deadLetters }) => html`<li><a href="dead-letters">${deadLetters} dead letters</a> of ${line(name)}</li>`)}
${ruleErrors > 0 ? html`<li><a href="dead-letters">${ruleErrors} rule errors</a>: a rule could not send to its queue</li>` : ''}
${[...errors].map(([what, count]) => html`<li>${count} events failed, each at a try: ${line(what)}</li>`)}
</ul>`
}
