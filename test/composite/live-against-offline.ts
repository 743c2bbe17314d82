import { type CompositeManifest, type CompositeOutput, type LayoutSpan, seconds } from './composite-manifest.js'
import { type CompositePicture, readComposite } from './read-composite.js'

/** One of two composites of the same take. */
export interface ComparedComposite {
  readonly path: string
  readonly manifest: CompositeManifest
  readonly output: CompositeOutput
}

/** What two composites of a take have in common. */
export interface CompositeComparison {
  /** Pictures of the same recording time. */
  readonly pictures: number
  /** Pictures that only one of them has. */
  readonly missing: number
  /** Tiles that both show with a readable card. */
  readonly tiles: number
  /** Of these the ones with the same counter, and those with one that differs by one at most. */
  readonly same: number
  readonly besides: number
  readonly faults: readonly string[]
}

/** Compares every picture of two composites, but for those before `fromUs` of recording time. */
export async function compareComposites(
  one: ComparedComposite,
  other: ComparedComposite,
  options: { readonly fps: number; readonly fromUs: number },
): Promise<CompositeComparison> {
  const { fps, fromUs } = options
  const [ones, others] = [await numbered(one, fps), await numbered(other, fps)]
  const faults: string[] = []
  let pictures = 0
  let missing = 0
  let tiles = 0
  let same = 0
  let besides = 0
  for (const number of new Set([...ones.keys(), ...others.keys()])) {
    const atUs = (number * 1e6) / fps
    if (atUs < fromUs) continue
    const [a, b] = [ones.get(number), others.get(number)]
    if (a === undefined || b === undefined) {
      missing++
      continue
    }
    pictures++
    const [there, here] = [placesOf(a.span), placesOf(b.span)]
    if (there !== here) faults.push(`at ${seconds(atUs)}: ${there} against ${here}`)
    if (there !== here) continue
    for (const [index, reading] of a.tiles.entries()) {
      const counterpart = b.tiles[index]
      if (counterpart === undefined) continue
      const who = `${reading.tile.participantId} at ${seconds(atUs)}`
      if (reading.cardId !== counterpart.cardId) {
        faults.push(`${who}: card ${reading.cardId} against ${counterpart.cardId}`)
      } else if (reading.counter !== undefined && counterpart.counter !== undefined) {
        tiles++
        const away = Math.abs(reading.counter - counterpart.counter)
        if (away === 0) same++
        if (away <= 1) besides++
        else faults.push(`${who}: counter ${reading.counter} against ${counterpart.counter}`)
      }
    }
  }
  return { pictures, missing, tiles, same, besides, faults }
}

async function numbered(
  { path, output, manifest }: ComparedComposite,
  fps: number,
): Promise<Map<number, CompositePicture>> {
  const pictures = await readComposite(path, output, manifest.layouts)
  return new Map(pictures.map((picture) => [Math.round((picture.atUs * fps) / 1e6), picture]))
}

function placesOf(span: LayoutSpan | undefined): string {
  if (span === undefined) return 'nothing'
  const tiles = span.tiles.map(({ participantId, placeholder, x, y, width, height }) =>
    [participantId, placeholder ? 'off' : 'on', x, y, width, height].join(' '),
  )
  return `${span.name}${span.transition === true ? ' moving' : ''} [${tiles.join(', ')}]`
}
