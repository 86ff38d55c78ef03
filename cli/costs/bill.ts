/** A month's bill of one way to store messages. */
export interface Component {
  readonly name: string
  /** How many of what is billed. */
  readonly amount: number
  /** US dollars. */
  readonly dollars: number
}

export interface Bill {
  readonly name: string
  readonly note: string
  readonly components: readonly Component[]
  readonly total: number
}

export function billOf(name: string, note: string, components: readonly Component[]): Bill {
  return { name, note, components, total: components.reduce((sum, { dollars }) => sum + dollars, 0) }
}

export const component = (name: string, amount: number, price: number): Component => ({ name, amount, dollars: amount * price })
