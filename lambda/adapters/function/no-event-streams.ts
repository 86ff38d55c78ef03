/**
 * Nothing, in place of the SDK's event streams, which no operation of DynamoDB or the IoT data plane has: esbuild puts this where
 * the SDK imports them at run time (`lib/pipeline/hook-bundles.ts`). Without that import it need not wrap what both share in functions.
 */
export {}
