/** samplingFrequencyIndex to Hz (ISO/IEC 14496-3 Table 1.18). 15 means that the value follows in 24 bits. */
export const SAMPLING_FREQUENCIES: readonly number[] = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
]

/** channelConfiguration to channels (ISO/IEC 14496-3 Table 1.19): 0 is told elsewhere, 7 is 7.1. */
export function channelsOf(channelConfiguration: number): number | undefined {
  if (channelConfiguration >= 1 && channelConfiguration <= 6) return channelConfiguration
  return channelConfiguration === 7 ? 8 : undefined
}

/** The channelConfiguration of so many channels in the usual order; `undefined` where there is none. */
export function channelConfigurationOf(channels: number): number | undefined {
  if (Number.isInteger(channels) && channels >= 1 && channels <= 6) return channels
  return channels === 8 ? 7 : undefined
}
