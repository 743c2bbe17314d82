import type { Frame, SoftwareScaleContext } from 'node-av/lib'
import type { NodeAv } from './node-av.js'

/**
 * The pixel format of a decoded picture, with full range as the scaler knows it: H264 and H265 say it by the format, VP9
 * and AV1 beside it.
 */
export function formatOfRange({ constants }: NodeAv, picture: Frame): PixelFormat {
  const format = picture.format as PixelFormat
  if (picture.colorRange !== constants.AVCOL_RANGE_JPEG) return format
  if (format === constants.AV_PIX_FMT_YUV420P) return constants.AV_PIX_FMT_YUVJ420P
  if (format === constants.AV_PIX_FMT_YUV422P) return constants.AV_PIX_FMT_YUVJ422P
  if (format === constants.AV_PIX_FMT_YUV444P) return constants.AV_PIX_FMT_YUVJ444P
  return format
}

/** FFmpeg's number of a pixel format. */
export type PixelFormat = Parameters<SoftwareScaleContext['getContext']>[2]
