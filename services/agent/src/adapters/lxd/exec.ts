/** Runs a program inside a container, as an argument array, and reads what it printed. */
import { LxdRefusal, OperationFailed, type LxdClient } from './client.ts';
import { Executed, type Operation } from './wire.ts';

const EXEC_MS = 60_000;

/** Undefined where the container has no such program. */
export async function execIn(
  client: LxdClient,
  name: string,
  command: readonly string[],
): Promise<{ readonly status: number; readonly output: string } | undefined> {
  let done: Operation | undefined;
  try {
    done = await client.change(
      'POST',
      `/1.0/instances/${name}/exec`,
      { command, 'record-output': true, interactive: false, environment: {} },
      { deadlineMs: EXEC_MS },
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
  const printed = output?.['1'];
  const text = printed === undefined ? '' : (await client.raw(printed)).toString('utf8');
  await forget(client, output);
  return { status, output: text };
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
