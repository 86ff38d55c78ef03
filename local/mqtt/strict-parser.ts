/** mqtt-packet's parser, but strict about strings: it replaces ill-formed UTF-8 by U+FFFD, where MQTT closes the connection. */
import mqtt, { type Parser } from 'mqtt-packet'

/** Members of the parser that its types leave out. */
interface ParserInternals {
  /** The header of the packet that is being read: it tells the length before the body has come. */
  readonly packet: { readonly length: number }
  readonly _list: { slice(start: number, end: number): Buffer }
  _pos: number
  _parseString(): string | null
  _parseBuffer(): Buffer | null
  _emitError(error: Error): void
}

export type StrictParser = Parser & Pick<ParserInternals, 'packet'>

/** `ignoreBOM`: U+FEFF is a character like others [MQTT-1.5.3-3]. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Emits an error for a string that is not well-formed UTF-8 [MQTT-1.5.3-1] or holds U+0000 [MQTT-1.5.3-2]. */
export function strictParser(): StrictParser {
  const parser = mqtt.parser() as StrictParser & ParserInternals
  const lenient = parser._parseString
  parser._parseString = () => {
    const start = parser._pos + LENGTH_BYTES
    const text = lenient.call(parser)
    if (text === null) return beyond(parser)
    const fault = stringFault(parser._list.slice(start, parser._pos))
    if (fault === undefined) return text
    parser._emitError(new Error(fault))
    return null
  }
  const lenientBytes = parser._parseBuffer
  parser._parseBuffer = () => lenientBytes.call(parser) ?? beyond(parser)
  return parser
}

/** Of properties mqtt-packet would make it null, and whoever gets such a PUBLISH could not be sent it. */
function beyond(parser: ParserInternals): null {
  parser._emitError(new Error('a string or binary data that reaches beyond its packet'))
  return null
}

const LENGTH_BYTES = 2

function stringFault(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return 'a string with U+0000'
  try {
    UTF8.decode(bytes)
    return undefined
  } catch {
    return 'a string that is not well-formed UTF-8'
  }
}
