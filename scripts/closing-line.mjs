import { writeFileSync } from 'node:fs'

/** The line with which a run of tests or checks ends. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/**
 * A Vitest reporter that closes the run with one line for people and programs. A file that could not be loaded and an
 * error outside of any test count as failures: a green line means that everything ran.
 * With RUSHES_TEST_COUNTS set, the numbers go to that file as JSON instead, and with them what failed and why.
 */
export default class ClosingLineReporter {
  onTestRunEnd(testModules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0, failures: [] }
    const fail = (where, errors) => {
      counts.failed++
      counts.failures.push(`${where}\n${errors.map(described).join('\n')}`)
    }
    for (const error of unhandledErrors) fail('outside of any test', [error])
    for (const testModule of testModules) {
      const file = `${testModule.project.name} ${testModule.relativeModuleId}`
      for (const error of testModule.errors()) fail(file, [error])
      for (const suite of testModule.children.allSuites()) {
        for (const error of suite.errors()) fail(`${file} > ${suite.fullName}`, [error])
      }
      for (const test of testModule.children.allTests()) {
        const { state, errors } = test.result()
        if (state === 'passed') counts.passed++
        else if (state === 'failed') fail(`${file} > ${test.fullName}`, errors ?? [])
        else counts.skipped++
      }
    }
    const file = process.env.RUSHES_TEST_COUNTS
    if (file === undefined) process.stdout.write(`${closingLine(counts)}\n`)
    else writeFileSync(file, JSON.stringify(counts))
  }
}

/** The start of an error and the place of it: enough to know it again in a log whose middle is lost. */
function described({ message, stacks }) {
  const place = stacks?.[0]
  const at = place === undefined ? '' : `\n    at ${place.file}:${place.line}`
  return `  ${String(message).slice(0, 1000).replaceAll('\n', '\n  ')}${at}`
}
