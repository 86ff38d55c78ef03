/** Text of strangers (client ids, topics, payloads) on a page. The templates escape markup; this escapes what forges a line. */
import { isUtf8 } from 'node:buffer'
import { printable } from '../../local/printable.ts'

/** In one line. */
export const line = (text: string): string => printable(text)

/** Keeps line breaks and tabs. */
export const lines = (text: string): string =>
  text
    .replaceAll('\r\n', '\n')
    .split(/([\n\t])/)
    .map((part) => (/^[\n\t]$/.test(part) ? part : printable(part)))
    .join('')

export const VIEWS = ['text', 'json', 'hex'] as const
export type View = (typeof VIEWS)[number]

/** More of a payload is not shown. */
const SHOWN_BYTES = 64 * 1024

/** A payload as text. What does not fit the view is shown in hex. */
export function payloadText(payload: Buffer, view: View): string {
  const some = payload.subarray(0, SHOWN_BYTES)
  const rest = payload.length > SHOWN_BYTES ? `\n... ${payload.length - SHOWN_BYTES} bytes more` : ''
  if (view === 'hex' || !isUtf8(payload)) return hex(some) + rest
  const text = payload.toString('utf8')
  if (view === 'json') return lines(pretty(text) ?? `no JSON\n${text}`)
  return lines(some.toString('utf8')) + rest
}

function pretty(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return undefined
  }
}

/** `00000000  68 65 6c 6c 6f  hello` */
function hex(bytes: Buffer): string {
  const rows = []
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16)
    const ascii = row.toString('latin1').replaceAll(/[^ -~]/g, '.')
    const digits = row.toString('hex').replaceAll(/(..)/g, '$1 ').padEnd(48)
    rows.push(`${at.toString(16).padStart(8, '0')}  ${digits} ${ascii}`)
  }
  return rows.join('\n')
}

/** `2026-11-27 12:00:00.000`, UTC. @param ms 0: not known */
export const time = (ms: number): string => (ms > 0 && ms < 8.64e15 ? new Date(ms).toISOString().replace('T', ' ').replace('Z', '') : '-')

/** A link to a page with one value, which may be anything. */
export const link = (page: string, values: Readonly<Record<string, string>>): string => `${page}?${new URLSearchParams(values)}`
