/** What came of a command line. */

/** All is as written; it is not; it could not be checked. */
export type ExitCode = 0 | 1 | 2;

export interface Outcome {
  readonly exitCode: ExitCode;
  /** For standard output where it could be checked, else for standard error. */
  readonly text: string;
}
