/** Where repositories' files come from: a port, so that a test can be a mirror, and break like one. */

/** Reads files of repositories. */
export interface RepositorySource {
  /**
   * A whole file below a base that ends in a slash.
   *
   * @throws {RepodataError} `REPOSITORY_UNREACHABLE`, or `REPODATA_TOO_LARGE` beyond `mostBytes`.
   */
  read(baseUrl: string, path: string, mostBytes: number): Promise<Uint8Array>;
}
