/** The table of retained messages as the core sees it, and what IoT Core tells of them. */
import type { Message } from './message.ts'

/** `mqtt_retain`. */
export interface RetainTable {
  put(message: Message): Promise<void>
  /**
   * Deletes the topic's retained message, and older ones that arrive later. `certain`: the message cleared the topic, and
   * {@link clearedBy} returns it from now on. Not certain, or inferred: messages of the half second before it stay, except `inferredFrom`.
   */
  clear(message: Message, how: { certain: boolean; inferredFrom?: string | undefined }): Promise<void>
  /** A strongly consistent read. */
  get(topic: string): Promise<Message | undefined>
  /** Id of the latest clearing message, if it is remembered. */
  clearedBy(topic: string): Promise<string | undefined>
  /** Topics with a retained message that any of the filters matches, page by page, each once. `from`: goes on after that place. */
  topicsMatching(filters: readonly string[], from?: RetainPlace): AsyncIterable<RetainPage>
  /** Retained messages of the topics, as far as they are there; perhaps without the writes of the last second. */
  getAll(topics: readonly string[]): Promise<RetainedRow[]>
  /** Remembers how far the event of that id has come, for its next receive. `at`: now, in ms. */
  leaveOff(eventId: string, place: RetainPlace, at: number): Promise<void>
  leftOff(eventId: string): Promise<RetainPlace | undefined>
  /** Remembers that the message is stored and delivered, and only waits for its retained check. */
  awaitCheck(message: Message): Promise<void>
  /** Ids of those of the messages for which {@link awaitCheck} did. */
  awaitingCheck(messages: readonly Pick<Message, 'topic' | 'msgid'>[]): Promise<Set<string>>
  /** Remembers the answer for a day, for the other publishes of the topic that are tried again; an older one changes nothing. */
  noteAnswer(topic: string, answer: RetainedAnswer): Promise<void>
  answer(topic: string): Promise<RetainedAnswer | undefined>
}

/** What IoT Core answered of a topic, by digests: it serves all publishes that are older. */
export interface RetainedAnswer {
  /** Milliseconds: when IoT Core was asked. */
  readonly at: number
  /** The retained message; absent: there is none. */
  readonly held?: RetainedDigest
}

export interface RetainedDigest extends Pick<NativeRetained, 'qos' | 'lastModified'> {
  readonly payload: string
  /** Absent: they could not be read. */
  readonly user?: string
}

export interface RetainPage {
  readonly topics: readonly string[]
  /** Which of the page's requests it is of. */
  readonly part: number
  /** The last topic that was looked at; absent: the part has no more. */
  readonly last?: string | undefined
}
/** After the topic, in that part; '': at its beginning. */
export interface RetainPlace {
  readonly part: number
  readonly topic: string
}
export interface RetainedRow {
  readonly message: Message
  /** EMQX wrote it, or another program: IoT Core has never held it. */
  readonly foreign: boolean
}

/** What GetRetainedMessage tells. */
export interface NativeRetained {
  readonly payload: Buffer
  readonly qos: number
  /** Milliseconds. */
  readonly lastModified: number
  /** User properties; `undefined`: they could not be read. */
  readonly user?: readonly (readonly [key: string, value: string])[] | undefined
}
