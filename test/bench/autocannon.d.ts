/** Of autocannon, which brings no types: what the load generator uses. */
declare module 'autocannon' {
  interface LoadRequest {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
  }
  interface LoadResult {
    readonly errors: number;
    readonly timeouts: number;
    readonly requests: { readonly total: number };
  }
  export default function autocannon(options: {
    readonly url: string;
    readonly amount: number;
    readonly connections: number;
    readonly requests: readonly (LoadRequest & {
      readonly setupRequest: (request: LoadRequest) => LoadRequest;
      readonly onResponse: (status: number, body: string) => void;
    })[];
  }): { on(event: 'done', listener: (result: LoadResult) => void): void };
}
