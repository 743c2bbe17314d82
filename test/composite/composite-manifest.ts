/** What a judge reads of a manifest: the composite output, and where everyone was shown. Times are recording time. */
export interface CompositeManifest {
  readonly startedAt: string
  readonly durationUs: number
  readonly layouts: readonly LayoutSpan[]
}

/** The composite as the manifest lists it. */
export interface CompositeOutput {
  readonly kind: string
  readonly container: string
  readonly key: string
  readonly startUs: number
  readonly durationUs: number
}

/** From when to when tiles stood where. */
export interface LayoutSpan {
  readonly startUs: number
  readonly endUs: number
  readonly name: string
  readonly canvas: { readonly width: number; readonly height: number }
  readonly tiles: readonly ShownTile[]
  /** Tiles are on their way to where they are said to be. */
  readonly transition?: true
}

export interface ShownTile {
  readonly participantId: string
  readonly trackId?: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** Where the source's own picture lies. */
  readonly picture?: Place
  readonly placeholder: boolean
}

export interface Place {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The span that holds at a time; a time on a border belongs to the span that begins there. */
export function spanAt(layouts: readonly LayoutSpan[], atUs: number): LayoutSpan | undefined {
  return layouts.findLast((span) => span.startUs <= atUs && atUs < span.endUs)
}

/** What of the layouts contradicts itself. */
export function layoutFindings(layouts: readonly LayoutSpan[], fromUs: number, toUs: number): string[] {
  const findings: string[] = []
  const name = (span: LayoutSpan): string => `layout ${span.name} at ${seconds(span.startUs)}`
  if (layouts.length === 0) return ['the manifest has no layouts']
  const first = layouts[0] as LayoutSpan
  const last = layouts.at(-1) as LayoutSpan
  if (first.startUs > fromUs + 1000)
    findings.push(`layouts begin at ${seconds(first.startUs)}, the picture at ${seconds(fromUs)}`)
  if (last.endUs < toUs - 1000) findings.push(`layouts end at ${seconds(last.endUs)}, the output at ${seconds(toUs)}`)
  for (const [index, span] of layouts.entries()) {
    const { canvas, tiles } = span
    const before = layouts[index - 1]
    if (!Number.isSafeInteger(span.startUs) || !Number.isSafeInteger(span.endUs))
      findings.push(`${name(span)}: times are not whole`)
    if (span.endUs <= span.startUs) findings.push(`${name(span)}: ends at ${seconds(span.endUs)}`)
    if (before !== undefined && before.endUs !== span.startUs) {
      findings.push(`${name(span)}: the one before ends at ${seconds(before.endUs)}`)
    }
    const seen = new Set<string>()
    for (const tile of tiles) {
      const who = `${name(span)}, ${tile.participantId}`
      if (tile.x < 0 || tile.y < 0 || tile.x + tile.width > canvas.width || tile.y + tile.height > canvas.height) {
        findings.push(`${who}: lies outside of the canvas`)
      }
      if ([tile.x, tile.y, tile.width, tile.height].some((value) => value % 2 !== 0))
        findings.push(`${who}: is not even`)
      if (!tile.placeholder && tile.picture === undefined) findings.push(`${who}: has no picture's rectangle`)
      const key = `${tile.participantId} ${tile.trackId ?? ''}`
      if (seen.has(key)) findings.push(`${who}: stands there twice`)
      seen.add(key)
    }
  }
  return findings
}

export function seconds(us: number): string {
  return `${(us / 1e6).toFixed(3)} s`
}
