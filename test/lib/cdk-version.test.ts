import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CDK_RANGE, cdkVersion } from '../../lib/cdk-version.ts'

const MANIFEST = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'))

test('the range is that of package.json, and the CDK of this repository is in it', () => {
  expect(CDK_RANGE).toBe(MANIFEST.peerDependencies['aws-cdk-lib'])
  expect(cdkVersion()).toBe(MANIFEST.devDependencies['aws-cdk-lib'])
})

test.each(['2.270.0', '2.270.1', '2.1000.0'])('takes %s', (version) => {
  expect(cdkVersion(() => version)).toBe(version)
})

test.each([['2.269.9'], ['1.300.0'], ['3.0.0'], [undefined]])('refuses %s', (version) => {
  expect(() => cdkVersion(() => version)).toThrow(
    `aws-cdk-lib is ${version ?? 'not installed'}, wanted ^2.270.0 (npm install aws-cdk-lib@2 constructs@10)`,
  )
})
