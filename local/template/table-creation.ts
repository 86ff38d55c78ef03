/** Creates the template's tables on the local DynamoDB. Tables that exist are not changed. */
import { BackendError } from '../../lambda/core/errors.ts'
import { ownPost } from '../own-request.ts'
import type { TemplateTable } from './template.ts'

/** @throws BackendError `dynamodb` with what the engine answered */
export async function createTables(url: string, tables: readonly TemplateTable[]): Promise<void> {
  const { TableNames: there } = (await call(url, 'ListTables', {})) as { TableNames: string[] }
  for (const { create, ttl } of tables) {
    const { TableName } = create
    if (!there.includes(TableName)) {
      await call(url, 'CreateTable', create)
      await active(url, TableName)
    }
    if (ttl !== undefined) await enableTimeToLive(url, TableName, ttl)
  }
}

const POLL_MS = 20
const ACTIVE_TIMEOUT_MS = 10_000

async function active(url: string, TableName: string): Promise<void> {
  const deadline = Date.now() + ACTIVE_TIMEOUT_MS
  for (;;) {
    const { Table } = (await call(url, 'DescribeTable', { TableName })) as { Table: { TableStatus: string } }
    if (Table.TableStatus === 'ACTIVE') return
    if (Date.now() > deadline) throw new BackendError('dynamodb', `table ${TableName} is ${Table.TableStatus}, wanted ACTIVE`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

async function enableTimeToLive(url: string, TableName: string, AttributeName: string): Promise<void> {
  const { TimeToLiveDescription } = (await call(url, 'DescribeTimeToLive', { TableName })) as {
    TimeToLiveDescription?: { TimeToLiveStatus?: string }
  }
  if (TimeToLiveDescription?.TimeToLiveStatus === 'ENABLED') return
  await call(url, 'UpdateTimeToLive', { TableName, TimeToLiveSpecification: { AttributeName, Enabled: true } })
}

/** Local engines want a signature and do not check it. */
const AUTHORIZATION = 'AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0'

async function call(url: string, operation: string, request: object): Promise<unknown> {
  const headers = {
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    'content-type': 'application/x-amz-json-1.0',
    authorization: AUTHORIZATION,
  }
  const { status, text } = await ownPost(`${url}/`, headers, JSON.stringify(request)).catch((error: NodeJS.ErrnoException) => {
    throw new BackendError('dynamodb', `DynamoDB at ${url} does not answer: ${error.code ?? error.message}`)
  })
  if (status === 200) return JSON.parse(text)
  throw new BackendError('dynamodb', `DynamoDB at ${url} answered ${operation} with ${status}: ${text.slice(0, 300)}`)
}
