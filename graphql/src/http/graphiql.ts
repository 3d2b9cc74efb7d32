/**
 * The page of GraphiQL with all its scripts in it, so that a browser needs nothing but this server.
 * The package that holds them is large: it is loaded when the first browser asks. Where it is not
 * installed, Yoga's own page takes them from a CDN.
 */
import { renderGraphiQL } from 'graphql-yoga';

type Render = typeof renderGraphiQL;
type Options = Parameters<Render>[0];

/** Not written in the import, so that nothing but the page is missing where it is not installed. */
const OFFLINE: string = '@graphql-yoga/render-graphiql';

/** Makes the page of the given options, once. */
export function graphiqlPage(
  load: () => Promise<unknown> = () => import(OFFLINE),
): (options: Options) => Promise<string> {
  let page: Promise<string> | undefined;
  return (options) => (page ??= rendererFrom(load).then((render) => render(options)));
}

async function rendererFrom(load: () => Promise<unknown>): Promise<Render> {
  try {
    const loaded = await load();
    return isRenderer(loaded) ? loaded.renderGraphiQL : renderGraphiQL;
  } catch (error) {
    if (isMissing(error)) return renderGraphiQL;
    throw error;
  }
}

/** Node's code, or that of a test runner with a resolution of its own. */
function isMissing(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND')
  );
}

function isRenderer(module: unknown): module is { readonly renderGraphiQL: Render } {
  return (
    typeof module === 'object' &&
    module !== null &&
    'renderGraphiQL' in module &&
    typeof module.renderGraphiQL === 'function'
  );
}
