import { StoreError } from '../errors.js'

/** The code of an operating system error (`ENOENT`), or `undefined`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** An operating system error as a store's, with what to do about it. */
export function fromSystemError(error: unknown, key: string, root: string): StoreError {
  if (error instanceof StoreError) return error
  const options = { cause: error, key }
  switch (systemCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new StoreError('STORE_NO_SPACE', `${key}: the disk of ${root} is full, free some space`, options)
    case 'EACCES':
    case 'EPERM':
      return new StoreError(
        'STORE_ACCESS_DENIED',
        `${key}: this process may not write or read there, check the owner and the rights of ${root}`,
        options,
      )
    case 'EROFS':
      return new StoreError('STORE_ACCESS_DENIED', `${key}: the file system of ${root} is mounted read-only`, options)
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ENOTEMPTY':
    case 'EEXIST':
      return new StoreError('STORE_BAD_KEY', `${key}: a file and a folder cannot have one name`, options)
    case 'ENAMETOOLONG':
      return new StoreError('STORE_BAD_KEY', `${key}: the name is too long for the file system of ${root}`, options)
    default: {
      const message = error instanceof Error ? error.message : String(error)
      return new StoreError('STORE_UNAVAILABLE', `${key}: ${message}`, options)
    }
  }
}
