import { describe, expect, it } from 'vitest'
import { thumbnailTrack } from '../../src/index.js'

const at = (atUs: number, sheet = 1, x = 0, y = 0) => ({ atUs, sheet, x, y, width: 160, height: 90 })

describe('the WebVTT file of thumbnails', () => {
  it('names a place on a sheet for all of the time, from media time zero to the end', () => {
    const thumbnails = [at(133_333), at(10_133_333, 1, 160), at(20_133_333, 2)]
    expect(thumbnailTrack(thumbnails, 128_000, 25_000_000)).toBe(`WEBVTT

00:00:00.000 --> 00:00:10.005
thumbnails-1.jpg#xywh=0,0,160,90

00:00:10.005 --> 00:00:20.005
thumbnails-1.jpg#xywh=160,0,160,90

00:00:20.005 --> 00:00:24.872
thumbnails-2.jpg#xywh=0,0,160,90
`)
  })

  it('has hours, and more than 99 of them', () => {
    expect(thumbnailTrack([at(0), at(3_725_001_000)], 0, 400_000_000_000)).toContain('01:02:05.001 --> 111:06:40.000\n')
  })

  it('leaves out what lies past the end', () => {
    const text = thumbnailTrack([at(0), at(5_000_000), at(10_000_000), at(10_000_300)], 0, 10_000_200)
    expect(text.match(/-->/g)).toHaveLength(2)
    expect(text).toContain('00:00:05.000 --> 00:00:10.000\n')
  })
})
