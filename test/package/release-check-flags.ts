import { newScript } from '../../cli/command-line/run-command.ts'
import { matching } from '../../cli/command-line/values.ts'

const ABOUT = `Builds and packs the package, and checks what must hold before it is published: one version, a changelog
for it, the API page, the tarball's files, licences, and that no registry, machine or credential is named in it.`

export const flags = () =>
  newScript('release:check', ABOUT)
    .option(
      '--tag <TAG>',
      'the tag that was pushed: v and the version',
      matching('v and a version, such as v1.2.3', /^v\d+\.\d+\.\d+(-[\w.]+)?$/),
    )
    .option('--write', "writes the tarball's files into test/package/contents.txt first")
    .addHelpText('after', '\nExit status: 0 it may be published, 1 it may not, 2 wrong use.')
