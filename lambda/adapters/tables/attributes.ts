/** DynamoDB attribute values, written and read by type. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'

export type Item = Record<string, AttributeValue>

export const S = (value: string): AttributeValue => ({ S: value })
export const N = (value: number): AttributeValue => ({ N: String(value) })
export const SS = (values: Iterable<string>): AttributeValue => ({ SS: [...values] })

export const text = (value: AttributeValue | undefined): string | undefined => value?.S
export const number = (value: AttributeValue | undefined): number | undefined => (value?.N === undefined ? undefined : Number(value.N))
export const strings = (value: AttributeValue | undefined): readonly string[] => value?.SS ?? []
