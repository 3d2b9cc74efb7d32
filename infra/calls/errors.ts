/** What is wrong with the files by which processes know each other. */
export type IdentityProblem =
  /** The file is not there. */
  | 'missing'
  /** The file is damaged, or says what cannot be. */
  | 'unreadable'
  /** Others than its owner can read a private key. */
  | 'exposed'
  /** There is one of that name already. */
  | 'exists';

export class IdentityError extends Error {
  readonly code: IdentityProblem;
  constructor(code: IdentityProblem, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'IdentityError';
    this.code = code;
  }
}
