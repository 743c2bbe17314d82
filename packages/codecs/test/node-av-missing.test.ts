import { expect, test, vi } from 'vitest'

vi.mock('node-av/lib', () => {
  throw new Error("Cannot find package 'node-av'")
})

test('who only copies never loads node-av; who transcodes is told what to install', async () => {
  const { createAacTranscoder } = await import('../src/index.js')
  const track = { id: 'voice', kind: 'audio', codec: 'opus', clockRate: 48_000 } as const
  await expect(createAacTranscoder({ track })).rejects.toMatchObject({
    code: 'CODECS_NODE_AV_MISSING',
    message: expect.stringMatching(/install node-av.*GPL/s),
  })
})
