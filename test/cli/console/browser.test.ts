/**
 * The console in a real Chromium.
 * @slow
 */
import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Browser, Page } from 'playwright-core'
import { type OpenConsole, openConsole } from '../../../cli/console/open-console.ts'
import { type Backend, startBackend } from '../../end-to-end/backend.ts'
import { hasChromium, startChromium } from '../../support/chromium.ts'
import { endClients, eventually } from '../../support/mqtt-client.ts'

const PAGES = ['', 'clients', 'queues', 'retained', 'dead-letters', 'hooks', 'try'] as const
const CLIENTS = 10_000

const describeInBrowser = hasChromium ? describe : describe.skip

describeInBrowser('in Chromium', () => {
  let backend: Backend
  let console: OpenConsole
  let browser: Browser
  let page: Page
  /** Console errors, script errors, and requests to another host. */
  let faults: string[]

  beforeAll(async () => {
    backend = await startBackend()
    console = await openConsole({ host: '127.0.0.1', port: 0, write: true, place: backend })
    browser = await startChromium()
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await console?.close()
    await endClients()
    await backend?.close()
  })
  beforeEach(async () => {
    faults = []
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('request', (asked) => {
      if (!asked.url().startsWith(console.url) && !asked.url().startsWith('data:')) faults.push(asked.url())
    })
  })
  afterEach(async () => {
    await page.close()
    expect(faults).toEqual([])
  })

  const open = (name: string) => page.goto(console.url + name)
  const heading = () => page.getByRole('heading', { level: 1 }).textContent()
  const alert = () => page.getByRole('alert').textContent()

  test.each([1280, 400])('each page has its landmarks and does not scroll sideways at %d pixels', async (width) => {
    await page.setViewportSize({ width, height: 800 })
    for (const name of PAGES) {
      await open(name)
      const landmarks = await page.locator('header, nav, main, footer, h1').count()
      const over = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      expect([name, landmarks, over]).toEqual([name, 5, 0])
    }
  })

  test('the overview is live: who connects is seen without a reload', async () => {
    await open('')
    await page.getByText('Live.').waitFor()
    await backend.connect('newcomer')
    await eventually('a connected client', async () => /Now: [1-9]/.test((await page.locator('.now').last().textContent()) ?? ''), 10_000)
    expect(await page.locator('.chart svg[role=img]').count()).toBe(5)
  })

  test('keyboard: the first tab skips to the content, links and the purge need no mouse', async () => {
    await open('clients')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.locator('nav a', { hasText: 'Hooks' }).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(/hooks$/)
    expect(await page.locator('pre').textContent()).toContain('When a client connects (client.connected)')
  })

  test('try it: what is published comes to the subscriber of the page, and a queue is purged after a second question', async () => {
    await open('try?filter=live/%23')
    await page.getByText('Subscribed.').waitFor()
    const { client } = await backend.connect('sender')
    await client.publishAsync('live/1', '<img src=x onerror=alert(1)>', { qos: 1 })
    await page.getByText('<img src=x onerror=alert(1)>').waitFor()
    expect(await page.locator('main img').count()).toBe(0)

    await page.goto(`${console.url}try`)
    await page.getByLabel('Topic').fill('q/1')
    await page.getByLabel('Payload').fill('hello')
    await page.getByRole('button', { name: 'Publish' }).press('Enter')
    await page.getByText('Published on q/1.').waitFor()
    await backend.idle()
    await page.getByRole('link', { name: 'What waits on q/1' }).click()
    expect(await page.locator('article pre').textContent()).toBe('hello')
    await page.getByText('Purge this queue', { exact: true }).first().press('Enter')
    await page.getByRole('button', { name: 'Yes: Purge this queue' }).press('Enter')
    await page.getByText('1 messages were purged.').waitFor()
    expect(await backend.rows('mqtt_msg', 'q/1')).toEqual([])
  })

  test('a kick ends the connection; a wrong id is told', async () => {
    const { client } = await backend.connect('pump-7')
    await client.subscribeAsync('cmd/pump-7', { qos: 1 })
    await backend.idle()
    const gone = new Promise<void>((resolve) => client.once('close', () => resolve()))
    await open('client?id=pump-7')
    expect(await page.getByRole('link', { name: 'cmd/pump-7' }).count()).toBe(1)
    await page.getByText('Kick this client', { exact: true }).first().click()
    await page.getByRole('button', { name: 'Yes: Kick this client' }).click()
    await gone
    await page.getByText('The connection was ended.').waitFor()
    await page.goto(`${console.url}clients`)
    await page.getByLabel('Client id').fill('Pump-7')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    expect([await heading(), await alert()]).toEqual(['Not found', expect.stringContaining('no client "Pump-7" has ever connected')])
    // Chromium reports the status 404 of a page as a console error.
    faults = faults.filter((fault) => !/status of 404/.test(fault))
  })

  test('dead letters: what can never succeed says why; the overview names it first', async () => {
    await backend.event('$aws/events/presence/connected/x', { clientId: 'x' })
    await eventually('a dead letter', async () => Object.keys(await backend.deadLetters()).length > 0, 20_000)
    await open('')
    expect(await page.locator('.wrong a').first().textContent()).toMatch(/dead letters/)
    await page.locator('.wrong a').first().click()
    expect(await page.locator('tbody tr').first().textContent()).toMatch(/client\.connected.*bad-event/)
  })

  test('a redrive brings back what no rule could send', async () => {
    const broken = await startBackend({ misbehaviour: { failAction: 1 } })
    const other = await openConsole({ host: '127.0.0.1', port: 0, write: true, place: broken })
    const elsewhere = await browser.newPage()
    try {
      const { client } = await broken.connect('sender')
      await client.publishAsync('t/1', 'x', { qos: 1 })
      await elsewhere.goto(`${other.url}dead-letters`)
      await elsewhere
        .getByText(/^Redrive 3$/)
        .first()
        .click()
      await elsewhere.getByRole('button', { name: 'Yes: Redrive 3' }).click()
      await elsewhere.getByText('3 were sent again, 0 stay.').waitFor()
      await broken.idle()
      expect((await broken.rows('mqtt_msg', 't/1')).map(({ payload }) => payload!.S)).toEqual(['x'])
      await elsewhere.reload()
      expect(await elsewhere.locator('.empty').textContent()).toBe('There are no dead letters and no rule errors.')
    } finally {
      await elsewhere.close()
      await other.close()
      await broken.close()
    }
  })

  test(`${CLIENTS} clients are listed page by page, each once`, async () => {
    await putClients(backend.dynamodbUrl, CLIENTS)
    await open('clients')
    const seen = new Set<string>()
    let pages = 0
    for (;;) {
      for (const name of await page.locator('tbody td:first-child a').allTextContents()) seen.add(name)
      pages++
      const next = page.getByRole('link', { name: 'Next page' })
      if ((await next.count()) === 0) break
      await page.goto(new URL((await next.getAttribute('href'))!, page.url()).href, { waitUntil: 'domcontentloaded' })
    }
    expect([...seen].filter((name) => name.startsWith('many-'))).toHaveLength(CLIENTS)
    expect(pages).toBeGreaterThanOrEqual(CLIENTS / 50)
  }, 120_000)
})

async function putClients(endpoint: string, count: number): Promise<void> {
  const client = new DynamoDBClient({ endpoint, region: 'us-west-2', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } })
  for (let from = 0; from < count; from += 25) {
    const puts = Array.from({ length: 25 }, (_, i) => ({
      PutRequest: {
        Item: { clientid: { S: `many-${from + i}` }, connect_state: { N: '0' }, online_at: { N: '1' }, offline_at: { N: '1' } },
      },
    }))
    await client.send(new BatchWriteItemCommand({ RequestItems: { mqtt_client: puts } }))
  }
  client.destroy()
}
