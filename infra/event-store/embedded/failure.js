/**
 * An error of the log's writer with one of the port's codes. The main thread makes an
 * EventStoreError of it; this class can cross to plain JavaScript.
 */
export class LogFailure extends Error {
  /**
   * @param {'corrupt' | 'store-in-use' | 'unavailable'} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * The message of whatever was thrown, also by the binding.
 * @param {unknown} error
 */
export function messageOf(error) {
  return error !== null && typeof error === 'object' && 'message' in error
    ? String(error.message)
    : String(error);
}
