/** What a function's role is asked at each of its calls (I9). */
import type { TableName } from '../../lambda/core/tables.ts'
import { callOf } from '../support/call-log.ts'

interface Command {
  readonly input: { readonly TableName?: string; readonly RequestItems?: Record<string, unknown> }
}

export class Role {
  private readonly allowed: ReadonlySet<string>
  private readonly tables: Readonly<Record<TableName, string>>
  private readonly refuse: (call: string) => void

  /** @param allowed in the words of {@link callOf} */
  constructor(allowed: ReadonlySet<string>, tables: Readonly<Record<TableName, string>>, refuse: (call: string) => void) {
    this.allowed = allowed
    this.tables = tables
    this.refuse = refuse
  }

  /** The client, which asks before it sends; what is refused is told and sent all the same. */
  ask<C extends { send: unknown }>(client: C): C {
    const send = client.send as (command: Command) => Promise<object>
    return Object.assign(client, {
      send: (command: Command) => {
        const call = this.callOf(command)
        if (!this.allowed.has(call)) this.refuse(call)
        return send(command)
      },
    })
  }

  private callOf(command: Command): string {
    const { input } = command
    const operation = command.constructor.name.replace(/Command$/, '')
    const isOfTable = input.TableName !== undefined || input.RequestItems !== undefined
    return isOfTable ? callOf(operation, input, this.tables) : operation
  }
}
