/** One line of the history for each operation of DynamoDB, with the messages' names for their ids. */
import type { DatabaseWorld } from './dynamodb-client.ts'
import type { Run } from './handlers.ts'
import type { IotCore } from './iot-core.ts'

export const operationNote =
  (note: (line: string) => void, iotCore: IotCore): DatabaseWorld['observe'] =>
  (owner, operation, request, answer) => {
    const key = Object.values(request.Key ?? {})
      .map(({ S }) => S)
      .join(' ')
    const what = [
      request.TableName.slice('mqtt_'.length),
      key,
      request.UpdateExpression,
      request.ConditionExpression && `IF ${request.ConditionExpression}`,
      JSON.stringify(request.ExpressionAttributeValues ?? request.Item ?? {}),
    ]
    const gave = answer === undefined ? 'refused' : JSON.stringify(answer)
    const line = `  #${(owner as Run).number} ${operation} ${what.filter(Boolean).join(' ')} -> ${gave}`
    note(
      line
        .replaceAll('\u0000', '|')
        .replaceAll('\\u0000', '|')
        .replace(/\{"(?:S|N|SS|M)":([^{}]*)\}/g, '$1')
        .replace(/M[A-Za-z0-8]{46}/g, (id) => iotCore.byId.get(id)?.name ?? id)
        .replaceAll('18000000', ''),
    )
  }
