import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cdkVersion, PEERS } from '../../lib/cdk-version.ts'

const MANIFEST = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'))
/** What is installed, but for one. */
const having = (peer: string, version: string | undefined) => (asked: keyof typeof PEERS) =>
  asked === peer ? version : asked === 'constructs' ? '10.5.0' : '2.270.0'

test('the ranges are those of package.json, and the CDK of this repository is in them', () => {
  expect(PEERS).toEqual(MANIFEST.peerDependencies)
  expect(cdkVersion()).toBe(MANIFEST.devDependencies['aws-cdk-lib'])
})

test.each(['2.270.0', '2.270.1', '2.1000.0'])('takes %s', (version) => {
  expect(cdkVersion(having('aws-cdk-lib', version))).toBe(version)
})

test.each(['10.5.0', '10.8.1', '10.1000.0'])('takes constructs %s', (version) => {
  expect(cdkVersion(having('constructs', version))).toBe('2.270.0')
})

test.each([
  ['aws-cdk-lib', '2.269.9'],
  ['aws-cdk-lib', '1.300.0'],
  ['aws-cdk-lib', '3.0.0'],
  ['aws-cdk-lib', undefined],
  ['constructs', '10.4.9'],
  ['constructs', '3.4.0'],
  ['constructs', undefined],
] as const)('refuses %s %s', (peer, version) => {
  expect(() => cdkVersion(having(peer, version))).toThrow(
    `${peer} is ${version ?? 'not installed'}, wanted ${PEERS[peer]} (npm install aws-cdk-lib@2 constructs@10)`,
  )
})
