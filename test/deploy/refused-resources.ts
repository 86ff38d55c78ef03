/** What the engine refuses to create (engine-gaps.ts): it is taken out of the copy that is tried. */

export interface Resource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
  readonly DependsOn?: readonly string[]
}

export const refuses = ({ Type, Properties }: Resource): boolean => Type === 'AWS::CloudWatch::Alarm' && 'Metrics' in Properties
