/** mqtt-packet's parser, but strict about strings and properties: it replaces ill-formed UTF-8 by U+FFFD, where MQTT closes the connection. */
import mqtt, { type Parser } from 'mqtt-packet'

/** Members of the parser that its types leave out. */
interface ParserInternals {
  /** The header of the packet that is being read: it tells the length before the body has come. */
  readonly packet: { readonly length: number }
  readonly _list: { slice(start: number, end: number): Buffer }
  _pos: number
  _parseString(): string | null
  _parseBuffer(): Buffer | null
  /** false: the packet is malformed, and that is told. */
  _parseProperties(): Readonly<Record<string, unknown>> | false
  _emitError(error: Error): void
}

export type StrictParser = Parser & Pick<ParserInternals, 'packet'>

/** `ignoreBOM`: U+FEFF is a character like others [MQTT-1.5.3-3]. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Emits an error for a string that is not well-formed UTF-8 [MQTT-1.5.3-1] or holds U+0000 [MQTT-1.5.3-2], and for a property that comes twice. */
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
  const lenientProperties = parser._parseProperties
  parser._parseProperties = () => {
    const properties = lenientProperties.call(parser)
    const twice = Object.entries(properties).find(([name, value]) => Array.isArray(value) && name !== SUBSCRIPTION_IDENTIFIER)
    if (twice !== undefined) parser._emitError(new Error(`the property ${twice[0]} more than once`))
    return properties
  }
  return parser
}

/** The only property but the user properties that a packet may have several times, from a server. mqtt-packet makes an array of each. */
const SUBSCRIPTION_IDENTIFIER = 'subscriptionIdentifier'

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
