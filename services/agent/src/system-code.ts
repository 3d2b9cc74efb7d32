/**
 * What the system says of a failure names hosts and paths, which are the staff's to know; what a node
 * answers is read by whoever ordered it. So of the system's words only the code goes into answers.
 */

/** The system's code of what lies at the bottom of it, e.g. ENOENT or ECONNREFUSED. */
export function systemCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const deeper = 'cause' in error ? systemCodeOf(error.cause) : undefined;
  return deeper ?? ('code' in error && typeof error.code === 'string' ? error.code : undefined);
}

/** Why something could not be read, as an end of a sentence. */
export function unreadable(error: unknown): string {
  const code = systemCodeOf(error);
  return code === undefined ? 'reading it failed' : `reading it failed with ${code}`;
}
