/** Runs a program inside a container, as an argument array, and reads what it printed. */
import { LxdRefusal, OperationFailed, type LxdClient } from './client.ts';
import { Executed, type Operation } from './wire.ts';

const EXEC_MS = 60_000;

/** What a program printed, and how it ended. */
export interface Ran {
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

/** Undefined where the container has no such program. */
export async function execIn(
  client: LxdClient,
  name: string,
  command: readonly string[],
  options: {
    readonly deadlineMs?: number;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<Ran | undefined> {
  const { deadlineMs = EXEC_MS, environment = {} } = options;
  let done: Operation | undefined;
  try {
    done = await client.change(
      'POST',
      `/1.0/instances/${name}/exec`,
      { command, 'record-output': true, interactive: false, environment },
      { deadlineMs },
    );
  } catch (error) {
    if (!(error instanceof OperationFailed)) throw error;
    const failed = Executed.safeParse(error.operation.metadata);
    await forget(client, failed.data?.output);
    // 127: not found; 126: there, but nothing that runs.
    if (failed.success && [126, 127].includes(failed.data.return)) return undefined;
    throw error;
  }
  const { return: status, output } = Executed.parse(done?.metadata);
  const printed = await textOf(client, output?.['1']);
  const errors = await textOf(client, output?.['2']);
  await forget(client, output);
  return { status, output: printed, errors };
}

async function textOf(client: LxdClient, path: string | undefined): Promise<string> {
  return path === undefined ? '' : (await client.raw(path)).toString('utf8');
}

/** LXD keeps the output in the instance's log folder until it is deleted. */
async function forget(
  client: LxdClient,
  output: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  for (const path of Object.values(output ?? {}))
    await client.change('DELETE', path).catch((error: unknown) => {
      if (!(error instanceof LxdRefusal)) throw error;
    });
}
