/** Something that is fed with hostile input: by jest in small, by `npm run fuzz` for as long as one likes. */
import type fc from 'fast-check'

export interface FuzzTarget {
  readonly name: string
  /** In the test run of CI. */
  readonly runs: number
  open(): Promise<OpenTarget>
}

export interface OpenTarget {
  /** Throws where the input did harm. */
  // biome-ignore lint/suspicious/noExplicitAny: each target's own input
  readonly property: fc.IAsyncPropertyWithHooks<any>
  close(): Promise<void>
}

/** A target without anything to start. */
// biome-ignore lint/suspicious/noExplicitAny: each target's own input
export const pure = (property: fc.IAsyncPropertyWithHooks<any>) => async (): Promise<OpenTarget> => ({
  property,
  close: async () => undefined,
})

export function assertThat(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}
