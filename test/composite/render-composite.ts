import { join } from 'node:path'
import type { CompositeSettings } from '@rushes/compositor'
import { type Manifest, type OutputFormat, render } from '@rushes/render'
import { createLocalStore } from '@rushes/storage-adapters/local'
import { openTake, type TakeSource } from '@rushes/take'
import { replay } from '../conformance/replay.js'
import type { CompositeOutput } from './composite-manifest.js'

/** A composite in a folder, with the manifest that tells of it. */
export interface RenderedComposite {
  readonly manifest: Manifest
  readonly output: CompositeOutput
  /** Of the file, or of the multivariant playlist. */
  readonly path: string
}

/** Into which container. */
export interface RenderOptions {
  /** @defaultValue 'mp4' */
  readonly format?: OutputFormat
  /** @defaultValue 'ts' */
  readonly segments?: 'ts' | 'cmaf'
}

export const fixture = (take: string): string => new URL(`../fixtures/${take}`, import.meta.url).pathname

/** Renders the composite of a take of the fixtures. */
export async function renderFixture(
  take: string,
  settings: CompositeSettings,
  root: string,
  options: RenderOptions & { readonly live?: boolean } = {},
): Promise<RenderedComposite> {
  const source = await openTake(fixture(take))
  return renderSource(options.live === true ? replay(source) : source, settings, root, options)
}

export async function renderSource(
  source: TakeSource,
  settings: CompositeSettings,
  root: string,
  { format = 'mp4', segments = 'ts' }: RenderOptions = {},
): Promise<RenderedComposite> {
  const manifest = await render(
    source,
    { outputs: [{ composite: settings }], formats: [format], hls: { segments } },
    { store: createLocalStore({ root }) },
  )
  const output = manifest.outputs.find(({ kind }) => kind === 'composite')
  if (output === undefined) throw new Error('the manifest has no composite')
  return { manifest, output, path: join(root, output.key) }
}
