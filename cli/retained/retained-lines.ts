/** The lines that `retained export` prints and `retained import` reads. */
import { readFileSync } from 'node:fs'
import type { Message } from '../../lambda/core/model/message.ts'
import { checkPublishTopic } from '../../local/mqtt/iot-limits.ts'
import { wrongUse } from '../command-line/run-command.ts'

export interface RetainedLine {
  readonly topic: string
  readonly qos: number
  readonly payload_base64: string
  readonly content_type?: string | undefined
  /** MQTT 5 user properties, in their order. */
  readonly user: readonly (readonly [key: string, value: string])[]
}

export const lineOf = ({ topic, qos, payload, properties: { user, contentType } }: Message): RetainedLine => ({
  topic,
  qos: qos === 0 ? 0 : 1,
  payload_base64: payload.toString('base64'),
  ...(contentType === undefined ? {} : { content_type: contentType }),
  user,
})

/** @throws BackendError `usage` with file and line of the first that is none */
export const linesOf = (file: string): RetainedLine[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((text, i) => {
      if (text.trim() === '') return []
      const [line, fault] = parsed(text)
      if (line === undefined) throw wrongUse(`${file}:${i + 1}: ${fault}, wanted a line of retained export: nothing was published`)
      return [line]
    })

function parsed(text: string): [line: RetainedLine] | [undefined, fault: string] {
  try {
    const line: Partial<RetainedLine> | null = JSON.parse(text)
    const { topic, qos = 1, payload_base64: payload, user = [] } = line ?? {}
    if (typeof topic !== 'string') return [undefined, 'no topic']
    checkPublishTopic(topic)
    if (qos !== 0 && qos !== 1) return [undefined, `qos ${JSON.stringify(qos)}`]
    if (typeof payload !== 'string' || payload === '' || Buffer.from(payload, 'base64').toString('base64') !== payload)
      return [undefined, 'a payload_base64 that is empty or no base64']
    const isPairs =
      Array.isArray(user) && user.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((one) => typeof one === 'string'))
    return isPairs ? [{ ...line, topic, qos, payload_base64: payload, user }] : [undefined, 'user properties that are no pairs']
  } catch (error) {
    // The text of JSON.parse quotes the line, which may be a payload (I10).
    return [undefined, error instanceof SyntaxError ? 'no JSON' : (error as Error).message]
  }
}
