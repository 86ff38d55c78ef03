/** What a run that was killed leaves in the directory for temporary files. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeLeftBehind } from '../../../local/template/assembly.ts'

it("removes what processes left that are gone since yesterday, and nobody else's", async () => {
  const { pid: gone } = spawnSync(process.execPath, ['--version'])
  const made = (name: string, hours: number) => {
    const directory = mkdtempSync(join(tmpdir(), name))
    const at = Date.now() / 1000 - hours * 3_600
    utimesSync(directory, at, at)
    return directory
  }
  const left = made(`mqtt-backend-${gone}-`, 25)
  const others = [made(`mqtt-backend-${gone}-`, 23), made(`mqtt-backend-${process.pid}-`, 25), made('mqtt-backend-x-', 25)]
  try {
    await removeLeftBehind()
    expect([left, ...others].map((directory) => existsSync(directory))).toEqual([false, true, true, true])
  } finally {
    for (const directory of others) rmSync(directory, { recursive: true })
  }
})
