import { ConfigurationError, RushesError } from '@rushes/media'
import { RenderError } from '@rushes/render'
import { TakeError } from '@rushes/take'
import { describe, expect, it } from 'vitest'
import { formatError } from '../src/error-text.js'
import { CliError } from '../src/errors.js'
import { ExitCode, exitCodeOf, exitCodeOfSignal } from '../src/exit-code.js'

describe('exit codes', () => {
  it.each([
    [new ConfigurationError('--from', 'must be a time', 'x'), ExitCode.usage],
    [new RenderError('RENDER_UNKNOWN_PARTICIPANT', 'no dave'), ExitCode.usage],
    [new RushesError('LAYOUT_INVALID', 'regions is missing'), ExitCode.usage],
    [new TakeError('TAKE_NO_SESSION', 'there is no take'), ExitCode.unreadable],
    [new TakeError('TAKE_BAD_SESSION', 'bad'), ExitCode.unreadable],
    [new TakeError('TAKE_FORMAT_TOO_NEW', 'new'), ExitCode.unreadable],
    [new TakeError('TAKE_MISSING_TRACK_FILE', 'gone'), ExitCode.unreadable],
    [new CliError('INPUT_NOT_FOUND', 'nothing there'), ExitCode.unreadable],
    [new CliError('INPUT_UNKNOWN', 'what is this'), ExitCode.unreadable],
    [new TakeError('TAKE_BAD_CAPTURE', 'nothing in it'), ExitCode.unreadable],
    [new CliError('JOURNAL_IN_USE', 'another one'), ExitCode.failed],
    [new CliError('OUT_NOT_WRITABLE', 'read-only'), ExitCode.failed],
    [new RenderError('RENDER_NO_MEDIA', 'nothing'), ExitCode.failed],
    [new RushesError('SOME_STORE_ERROR', 'full'), ExitCode.failed],
    [new Error('a bug'), ExitCode.failed],
    ['not even an error', ExitCode.failed],
  ])('%s ends with %d', (error, code) => {
    expect(exitCodeOf(error)).toBe(code)
  })

  it('follows the shells for signals', () => {
    expect(exitCodeOfSignal('SIGINT')).toBe(130)
    expect(exitCodeOfSignal('SIGTERM')).toBe(143)
  })
})

describe('formatError', () => {
  const refused = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })

  it('says the code, the message and what to do', () => {
    expect(formatError(new TakeError('TAKE_NO_SESSION', 'there is no take in /x'))).toBe(
      'rushes: TAKE_NO_SESSION: there is no take in /x\n' +
        '  A take is a folder with a session.json and one .rtpdump file per track. Give that folder.\n',
    )
    expect(formatError(new RushesError('MP4_WRITE_FAILED', 'cannot write', { cause: refused }))).toBe(
      'rushes: MP4_WRITE_FAILED: cannot write\n  The disk is full: make room, or choose another --out.\n',
    )
  })

  it('tells the causes when asked, and stacks only of what is a fault', () => {
    const error = new RushesError('A', 'outer', { cause: new RushesError('B', 'middle', { cause: refused }) })
    expect(formatError(error, { verbose: true })).toContain(
      '  caused by B: middle\n  caused by ENOSPC: ENOSPC: no space left on device, write\n',
    )
    expect(formatError(error, { verbose: true })).not.toContain(' at ')
    const bug = new TypeError('x is not a function')
    expect(formatError(bug)).toBe(
      'rushes: UNEXPECTED: x is not a function\n  This is a fault of rushes. --verbose shows where it happened.\n',
    )
    expect(formatError(bug, { verbose: true })).toContain('exit-code.test.ts')
  })

  it('survives a chain of causes without an end, and control characters', () => {
    const error = new Error('round\u001b[31m')
    error.cause = error
    expect(formatError(error, { verbose: true })).not.toContain('\u001b')
  })
})
