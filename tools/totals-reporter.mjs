// @ts-check
/**
 * A node:test reporter that writes one JSON object: the totals of the whole run. tools/suite.mjs adds them up
 * over several runs, since the suite runs on more than one disk and more than one Node.
 */

/** @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* totals(events) {
  for await (const { type, data } of events) {
    // Each file has a summary of its own; the one without a file is that of the run.
    if (type === 'test:summary' && data.file === undefined) {
      yield JSON.stringify({ ...data.counts, durationMs: data.duration_ms })
    }
  }
}
