import { mkdir } from 'node:fs/promises'
import { ConfigurationError } from '@rushes/media'
import { DiskBudget } from './disk-budget.js'
import { TakeError } from './errors.js'
import type { JournalBudget, JournalBudgetOptions } from './journal-budget.js'
import { defaultSteps, validateSteps } from './journal-steps.js'
import { sweepRemoved } from './remove-take.js'

/**
 * The budget of a journal. It has no timer: writers look after it with each flush, `admit` and `refresh` on their own.
 * @throws ConfigurationError; TakeError `TAKE_READ_FAILED` when the folder or its free space cannot be looked at
 */
export async function createJournalBudget(options: JournalBudgetOptions): Promise<JournalBudget> {
  for (const field of ['maxBytes', 'pollMs'] as const) {
    const value = options[field]
    if (value !== undefined && !(value > 0)) throw new ConfigurationError(field, 'must be greater than 0', value)
  }
  const { minFreeBytes } = options
  if (minFreeBytes !== undefined && !(minFreeBytes >= 0)) {
    throw new ConfigurationError('minFreeBytes', 'must be at least 0', minFreeBytes)
  }
  const budget = new DiskBudget(options, validateSteps(options.steps ?? defaultSteps(options.maxBytes)))
  try {
    await mkdir(options.dir, { recursive: true })
    await sweepRemoved(options.dir)
    await budget.refresh()
  } catch (cause) {
    const message = `the journal folder ${options.dir} cannot be measured: ${(cause as Error).message}`
    throw new TakeError('TAKE_READ_FAILED', message, { cause })
  }
  return budget
}
