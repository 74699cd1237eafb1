// Adds vitest's JSON report to the checks that ran before it and closes with `N passed, N failed, N skipped`.
import { readFileSync } from 'node:fs';

const [report, testExit, passedBefore, failedBefore] = process.argv.slice(2);
let passed = Number(passedBefore);
let failed = Number(failedBefore);
let skipped = 0;
try {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  passed += result.numPassedTests;
  failed += result.numFailedTests;
  skipped = result.numPendingTests + result.numTodoTests;
  // A file that does not even load has no test that could fail.
  failed += result.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0).length;
} catch (error) {
  console.error(`no test report: ${error.message}`);
  failed++;
}
// Whatever else made the test command fail (the build, an unhandled error) counts as one failure.
if (Number(testExit) !== 0 && failed === Number(failedBefore)) failed++;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 ? 1 : 0);
