/** `npm run release:check`: what must hold before a version is published. Publishes nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exits, type OptionsOf, runCommand } from '../../cli/command-line/run-command.ts'
import { CONTENTS, checksOf, contentsOf } from './release-check.ts'
import { flags } from './release-check-flags.ts'
import { pack } from './tarball.ts'

const say = (line: string) => void process.stdout.write(`${line}\n`)

async function releaseCheck({ tag, write }: OptionsOf<typeof flags>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'release-'))
  try {
    const packed = await pack(folder)
    if (write) writeFileSync(CONTENTS, contentsOf(packed))
    let held = true
    for (const { name, faults } of checksOf(packed, tag)) {
      const found = faults()
      held &&= found.length === 0
      say(`${found.length === 0 ? 'holds' : 'FAILS'}  ${name}`)
      for (const fault of found) say(`       ${fault}`)
    }
    say(held ? `it may be published: ${packed.files.length} files, ${packed.size} bytes` : 'it may not be published')
    return held ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}

await runCommand(flags().action(exits(releaseCheck)), process.argv.slice(2))
