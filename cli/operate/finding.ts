/** What status and doctor say of one thing. */
export interface Finding {
  /** `open`: it could not be asked. */
  readonly state: 'wrong' | 'look' | 'open' | 'good'
  readonly what: string
  /** What to do. */
  readonly todo?: string
}

const ORDER: readonly Finding['state'][] = ['wrong', 'look', 'open', 'good']
const SIGN = { wrong: 'WRONG', look: 'LOOK ', open: 'OPEN ', good: 'good ' } as const

/** What is wrong first, each in a line, with what to do below it. */
export const findingLines = (findings: readonly Finding[]): string[] =>
  ORDER.flatMap((state) => findings.filter((one) => one.state === state)).flatMap(({ state, what, todo }) => [
    `${SIGN[state]}  ${what}`,
    ...(todo === undefined ? [] : [`       ${todo}`]),
  ])

export const isWrong = (findings: readonly Finding[]): boolean => findings.some(({ state }) => state === 'wrong')
