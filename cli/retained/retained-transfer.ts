/** All retained messages out of the table, and back through IoT Core. */
import { BackendError } from '../../lambda/core/errors.ts'
import { publish } from '../operate/deeds.ts'
import type { OpenTables } from '../operate/operator-tables.ts'
import { type Pace, wholeTable } from '../operate/scan-cost.ts'
import { retainedPage } from '../operate/table-reads.ts'
import { lineOf, type RetainedLine } from './retained-lines.ts'

export async function exportRetained(tables: OpenTables, pace: Pace): Promise<void> {
  // Each row is read by the scan, and once more by its key, consistently.
  const reading = { table: 'mqtt_retain', times: 3 } as const
  for await (const rows of wholeTable(tables, reading, pace, (after, limit) => retainedPage(tables, after, limit)))
    for (const message of rows) process.stdout.write(`${JSON.stringify(lineOf(message))}\n`)
}

/** @param rate publishes a second @throws BackendError `half` that says how many were published, where IoT Core refuses one in the middle */
export async function importRetained(tables: OpenTables, lines: readonly RetainedLine[], rate: number): Promise<void> {
  for (const [i, { topic, qos, payload_base64, content_type, user }] of lines.entries()) {
    try {
      const payload = Buffer.from(payload_base64, 'base64')
      await publish(tables, { topic, payload, qos: qos as 0 | 1, retain: true, user, contentType: content_type })
    } catch (error) {
      if (i === 0) throw error
      const why = `then IoT Core refused ${JSON.stringify(topic)}: ${(error as Error).message}`
      throw new BackendError('half', `${i} of ${lines.length} were published, ${why}`)
    }
    if (i + 1 < lines.length) await tables.ports.clock.sleep(1000 / rate)
  }
}
