import fc from 'fast-check'

// Every property runs at least this often in CI; a long hunt sets its own number.
fc.configureGlobal({ numRuns: Number(process.env['RUSHES_PROPERTY_RUNS'] ?? 1000) })
