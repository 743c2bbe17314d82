import { writeFileSync } from 'node:fs'

/** The line with which a run of tests or checks ends. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/**
 * A Vitest reporter that closes the run with one line for people and programs. A file that could not be loaded and an
 * error outside of any test count as failures: a green line means that everything ran.
 * With RUSHES_TEST_COUNTS set, the numbers go to that file as JSON instead.
 */
export default class ClosingLineReporter {
  onTestRunEnd(testModules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const testModule of testModules) {
      counts.failed += testModule.errors().length
      for (const suite of testModule.children.allSuites()) counts.failed += suite.errors().length
      for (const test of testModule.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') counts.passed++
        else if (state === 'failed') counts.failed++
        else counts.skipped++
      }
    }
    const file = process.env.RUSHES_TEST_COUNTS
    if (file === undefined) process.stdout.write(`${closingLine(counts)}\n`)
    else writeFileSync(file, JSON.stringify(counts))
  }
}
