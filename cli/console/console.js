/* What the pages do beyond links and forms: parts that change by themselves, and a sign that a page is on its way. */
const state = document.querySelector('[data-state]')

const live = document.querySelector('[data-live]')
if (live) {
  const source = new EventSource(live.dataset.live)
  source.addEventListener('part', ({ data }) => {
    live.innerHTML = data
    if (state) state.textContent = 'Live.'
  })
  source.addEventListener('problem', ({ data }) => {
    if (state) state.textContent = data
  })
  source.onerror = () => {
    if (state) state.textContent = 'The console does not answer: what you see is old.'
  }
}

const received = document.querySelector('[data-append]')
if (received) {
  const source = new EventSource(received.dataset.append)
  source.addEventListener('state', ({ data }) => {
    state.textContent = data
  })
  source.addEventListener('part', ({ data }) => {
    received.insertAdjacentHTML('afterbegin', data)
    while (received.children.length > 100) received.lastElementChild.remove()
  })
  source.onerror = () => {
    state.textContent = 'Not connected: trying again.'
  }
}

const busy = () => document.body.setAttribute('aria-busy', 'true')
document.addEventListener('submit', busy)
document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href]')
  if (link && !link.getAttribute('href').startsWith('#') && !event.ctrlKey && !event.metaKey && !event.shiftKey) busy()
})
window.addEventListener('pageshow', () => document.body.removeAttribute('aria-busy'))
