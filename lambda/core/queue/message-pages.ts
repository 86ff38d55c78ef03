/** Queued messages, read page by page: memory and read units follow what the client takes, not what is queued for it. */
import type { Message } from '../model/message.ts'
import type { MessageTable } from '../model/ports.ts'

/** 8 of IoT Core's largest messages, 128 KB each, are 1 MB. Later pages are as large, in bytes of payload, as the page before shows. */
const FIRST_PAGE = 8
const PAGE_BYTES = 1_048_576
const LARGEST_PAGE = 50

interface MessagePage {
  readonly ids: readonly string[]
  readonly stored: Map<string, Message>
}

export class MessagePages {
  private readonly messages: Pick<MessageTable, 'get'>
  private readonly ids: readonly string[]
  private from = 0
  private size = FIRST_PAGE
  private ahead: Promise<MessagePage> | undefined

  constructor(messages: Pick<MessageTable, 'get'>, ids: readonly string[]) {
    this.messages = messages
    this.ids = ids
  }

  /** Begins to read the next page, once the client has acknowledged something of this one: at most two pages are in memory. */
  readAhead(): void {
    if (this.ahead !== undefined || this.from >= this.ids.length) return
    this.ahead = this.read()
    this.ahead.catch(() => {})
  }

  /** `undefined`: there is none. */
  async next(): Promise<MessagePage | undefined> {
    this.readAhead()
    const page = await this.ahead
    this.ahead = undefined
    if (page !== undefined && page.stored.size > 0) {
      const bytes = [...page.stored.values()].reduce((sum, { payload }) => sum + payload.length, 0)
      this.size = Math.max(1, Math.min(LARGEST_PAGE, Math.floor((PAGE_BYTES * page.stored.size) / Math.max(1, bytes))))
    }
    return page
  }

  private async read(): Promise<MessagePage> {
    const ids = this.ids.slice(this.from, this.from + this.size)
    this.from += ids.length
    return { ids, stored: await this.messages.get(ids) }
  }
}
