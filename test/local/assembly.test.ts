/** What a run that was killed leaves in the directory for temporary files. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeLeftBehind } from '../../local/template/assembly.ts'

it("removes the directories of processes that are gone, and nobody else's", async () => {
  const { pid: gone } = spawnSync(process.execPath, ['--version'])
  const [old, own, other] = [`mqtt-backend-${gone}-`, `mqtt-backend-${process.pid}-`, 'mqtt-backend-x-'].map((name) =>
    mkdtempSync(join(tmpdir(), name)),
  )
  try {
    await removeLeftBehind()
    expect([old, own, other].map((directory) => existsSync(directory!))).toEqual([false, true, true])
  } finally {
    for (const directory of [own, other]) rmSync(directory!, { recursive: true })
  }
})
