export default async function globalTeardown(): Promise<void> {
  await globalThis.engineDesk?.close()
}
