/**
 * The rules of CloudWatch's embedded metric format that a line must keep, or nothing is counted ("Specification: embedded metric
 * format"): what breaks one is an error of the line, and it is told which.
 */
const UNITS = ['Count', 'Milliseconds']

interface Directive {
  readonly Namespace: unknown
  readonly Dimensions: unknown
  readonly Metrics: unknown
}
type Root = Readonly<Record<string, unknown>> & { readonly _aws?: { readonly Timestamp?: unknown; readonly CloudWatchMetrics?: unknown } }

/** Every rule that the line breaks. */
export function emfFaults(line: string): string[] {
  const root = JSON.parse(line) as Root
  const directives = root._aws?.CloudWatchMetrics
  if (!Array.isArray(directives) || directives.length === 0) return ['no directive']
  return [
    ...(Number.isInteger(root._aws?.Timestamp) ? [] : ['the timestamp is no whole milliseconds']),
    ...(Buffer.byteLength(line) <= 256 * 1024 ? [] : ['more than 256 KB']),
    ...directives.flatMap((directive: Directive) => directiveFaults(root, directive)),
  ]
}

function directiveFaults(root: Root, { Namespace, Dimensions, Metrics, ...others }: Directive): string[] {
  const metrics = Metrics as { Name: string; Unit: string }[]
  return [
    ...(typeof Namespace === 'string' && /^[\w./#:-]{1,255}$/.test(Namespace) ? [] : [`namespace ${Namespace}`]),
    ...Object.keys(others).map((name) => `unknown member ${name}`),
    ...(metrics.length >= 1 && metrics.length <= 100 ? [] : [`${metrics.length} metrics`]),
    ...(Dimensions as string[][]).flatMap((set) => [
      ...(set.length <= 30 ? [] : [`${set.length} dimensions`]),
      ...set.filter((name) => typeof root[name] !== 'string' || root[name] === '').map((name) => `dimension ${name} has no value`),
    ]),
    ...metrics.flatMap(({ Name, Unit }) => [
      ...(UNITS.includes(Unit) ? [] : [`unit ${Unit} of ${Name}`]),
      ...(areValues(root[Name]) ? [] : [`value of ${Name}`]),
    ]),
  ]
}

const areValues = (value: unknown): boolean =>
  Array.isArray(value) ? value.length >= 1 && value.length <= 100 && value.every(Number.isFinite) : Number.isFinite(value)
