import { describe, expect, test } from 'vitest'
import { ConfigurationError, RushesError } from '../src/errors.js'

describe('RushesError', () => {
  test('carries a code for programs, a message for people, and its cause', () => {
    const cause = new Error('ENOSPC')
    const error = new RushesError('TAKE_DISK_FULL', 'The disk is full: free some space.', { cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ code: 'TAKE_DISK_FULL', message: 'The disk is full: free some space.', cause })
  })

  test('a subclass is told apart by name and by its codes', () => {
    class MuxError extends RushesError<'TOO_LARGE' | 'TOO_LATE'> {}
    const error = new MuxError('TOO_LATE', 'late')
    expect(error.name).toBe('MuxError')
    expect(error).toBeInstanceOf(RushesError)
    expect(error.stack).toMatch(/errors\.test\.ts/)
    // @ts-expect-error a code that the class does not have
    expect(new MuxError('TOO_EARLY', 'early').code).toBe('TOO_EARLY')
  })

  test('an error without a cause has none', () => {
    expect('cause' in new RushesError('X', 'x')).toBe(false)
  })
})

describe('ConfigurationError', () => {
  test.each([
    { got: undefined, message: 'fps: must be positive' },
    { got: 0, message: 'fps: must be positive, got 0' },
    { got: Number.NaN, message: 'fps: must be positive, got NaN' },
    { got: '30', message: 'fps: must be positive, got "30"' },
    { got: null, message: 'fps: must be positive, got null' },
  ])('says $message', ({ got, message }) => {
    const error = new ConfigurationError('fps', 'must be positive', got)
    expect(error).toMatchObject({ name: 'ConfigurationError', code: 'BAD_CONFIGURATION', field: 'fps', message })
    expect(error).toBeInstanceOf(RushesError)
  })
})
