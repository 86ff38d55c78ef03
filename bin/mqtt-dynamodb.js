#!/usr/bin/env node
// `npx mqtt-dynamodb` in a checkout: Node reads no TypeScript, so tsx is registered first.
import { register } from 'tsx/esm/api'

register()
await import('./mqtt-dynamodb.ts')
