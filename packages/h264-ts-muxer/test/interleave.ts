import { type EncodedSample, type Track, timescaleOf } from '@rushes/media'

/** All samples in order of their decoding time. */
export function interleave(tracks: readonly Track[], samples: readonly EncodedSample[]): EncodedSample[] {
  const timescales = new Map(tracks.map((track) => [track.id, timescaleOf(track)]))
  const seconds = (sample: EncodedSample): number => sample.dts / timescales.get(sample.trackId)!
  return [...samples].sort((a, b) => seconds(a) - seconds(b))
}
