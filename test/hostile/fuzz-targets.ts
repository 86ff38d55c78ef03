/** All that is fuzzed. */
import { eventTarget } from './event-fuzz.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { nameTarget } from './name-fuzz.ts'
import { dataPlaneTarget, dynamodbTarget, mqttTarget } from './socket-fuzz.ts'
import { confTarget, jsonTarget, sqlTarget } from './text-fuzz.ts'

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  eventTarget,
  nameTarget,
  confTarget,
  sqlTarget,
  jsonTarget,
  mqttTarget,
  dataPlaneTarget,
  dynamodbTarget,
]
