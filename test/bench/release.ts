/** The release that an installation says it is: read models of another one are rebuilt. */
export const RELEASE = '0.1.0';
