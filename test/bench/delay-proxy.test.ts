/**
 * The far end of the bench: everybody waits as long, and everything is counted.
 *
 * @slow
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ListTablesCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { type DelayProxy, startDelayProxy } from '../../bench/delay-proxy.ts'
import { clientFor, createTables, forEachEngine } from '../support/engines.ts'

describe('a proxy that delays', () => {
  let target: Server
  let proxy: DelayProxy
  let other: DelayProxy
  /** When requests reached the target. */
  let reached: number[]

  beforeEach(async () => {
    reached = []
    target = createServer((request, response) => {
      reached.push(performance.now())
      if (request.url === '/broken') response.destroy()
      else request.pipe(response.writeHead(request.url === '/refused' ? 418 : 200, { 'x-said': 'yes' }))
    })
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    proxy = await startDelayProxy(targetUrl())
    other = await startDelayProxy(targetUrl())
  })
  afterEach(async () => {
    await Promise.all([proxy.close(), other.close()])
    target.closeAllConnections()
    target.close()
  })

  const targetUrl = () => `http://127.0.0.1:${(target.address() as AddressInfo).port}`
  const ask = (path = '/', operation = 'PutItem') =>
    fetch(`${proxy.url}${path}`, { method: 'POST', body: 'hello', headers: { 'x-amz-target': `DynamoDB_20120810.${operation}` } })

  it('passes on what was asked and what was answered', async () => {
    const answer = await ask()
    expect([answer.status, answer.headers.get('x-said'), await answer.text()]).toEqual([200, 'yes', 'hello'])
    expect((await ask('/refused')).status).toBe(418)
  })

  it('says 502 where the target says nothing', async () => {
    expect((await ask('/broken')).status).toBe(502)
  })

  it('holds a request back for as long as it was told', async () => {
    proxy.delay = 200
    const started = performance.now()
    await ask()
    // A timer may fire a millisecond early.
    expect(reached[0]! - started).toBeGreaterThanOrEqual(199)
  })

  it('holds many back no longer than one', async () => {
    proxy.delay = other.delay = 50
    const many = Promise.all(Array.from({ length: 40 }, () => ask())).then(() => 'many at once')
    const few = (async () => {
      for (let i = 0; i < 20; i++) await fetch(other.url, { method: 'POST', body: 'hello' })
    })().then(() => 'half as many one after the other')
    expect(await Promise.race([many, few])).toBe('many at once')
    expect(proxy.traffic().parallel).toBeGreaterThanOrEqual(40)
    await few
  })

  it('takes a delay set meanwhile for those that come after', async () => {
    proxy.delay = 500
    const slow = ask('/slow').then(() => 'slow')
    while (proxy.traffic().parallel === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    proxy.delay = 0
    expect(await Promise.race([slow, ask().then(() => 'fast')])).toBe('fast')
    await slow
  })

  it('counts by operation, and starts over when it has told', async () => {
    await Promise.all([ask(), ask(), ask('/', 'GetItem')])
    expect(proxy.traffic()).toMatchObject({ requests: 3, byName: { PutItem: 2, GetItem: 1 } })
    await ask()
    expect(proxy.traffic()).toEqual({ requests: 1, parallel: 1, byName: { PutItem: 1 } })
    expect(proxy.traffic()).toEqual({ requests: 0, parallel: 0, byName: {} })
  })
})

forEachEngine((engine) => {
  it('lets the SDK through to DynamoDB, and what DynamoDB refuses back', async () => {
    const tables = await createTables(engine)
    const proxy = await startDelayProxy(engine.url)
    const client = clientFor(proxy.url)
    try {
      await client.send(new PutItemCommand({ TableName: tables.mqtt_client, Item: { clientid: { S: 'c' } } }))
      await expect(client.send(new PutItemCommand({ TableName: tables.mqtt_client, Item: {} }))).rejects.toThrow(/key/)
      await client.send(new ListTablesCommand({}))
      expect(proxy.traffic()).toEqual({ requests: 3, parallel: 1, byName: { PutItem: 2, ListTables: 1 } })
    } finally {
      client.destroy()
      await proxy.close()
    }
  })
})
