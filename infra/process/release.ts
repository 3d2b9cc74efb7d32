/** The release of the code: with another one the read models are rebuilt from the log. */
export const RELEASE = '0.1.0';
