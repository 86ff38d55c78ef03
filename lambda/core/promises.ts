/** Waits for all, then throws the first failure: nothing is left running behind an error. */
export async function allDone(work: readonly unknown[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
