/** Where a page of a table ended, as text for a link or for --after: the last key that was read. */
import type { Item } from '../../lambda/adapters/tables/attributes.ts'

export const placeOf = (last: Item): string => Buffer.from(JSON.stringify(last)).toString('base64url')

/** `undefined`: {@link placeOf} did not write this. */
export function keyAt(place: string): Item | undefined {
  try {
    const key: unknown = JSON.parse(Buffer.from(place, 'base64url').toString())
    return typeof key === 'object' && key !== null && !Array.isArray(key) ? (key as Item) : undefined
  } catch {
    return undefined
  }
}
