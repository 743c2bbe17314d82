import { type FileHandle, open } from 'node:fs/promises'

/** Bytes that are read where they are needed: a file of many gigabytes is never in memory. */
export interface ByteSource {
  readonly size: number
  /** Fewer bytes than asked for only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** Opens a file, or takes bytes as they are. */
export async function openByteSource(input: Uint8Array | string): Promise<ByteSource> {
  if (typeof input !== 'string') {
    return {
      size: input.byteLength,
      read: async (offset, length) => input.subarray(offset, offset + length),
      close: async () => {},
    }
  }
  const file = await open(input, 'r')
  const { size } = await file.stat()
  return { size, read: (offset, length) => readFully(file, offset, length, size), close: () => file.close() }
}

async function readFully(file: FileHandle, offset: number, length: number, size: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(Math.max(0, Math.min(length, size - offset)))
  let filled = 0
  while (filled < buffer.byteLength) {
    const { bytesRead } = await file.read(buffer, filled, buffer.byteLength - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
