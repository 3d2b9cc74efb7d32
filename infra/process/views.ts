/** The read models of a process: one file a service, in the folder `views` of its data. */
import { join } from 'node:path';

import { RuntimeError, type ServiceDefinition, viewSchemaOf } from '../runtime/index.ts';
import { openSqliteViews, type ViewStore } from '../views/index.ts';
import { writableFolder } from './folder.ts';
import { RELEASE } from './release.ts';

export interface ProcessViews {
  /** The read model of one of the services, opened when it is first asked for. */
  open(service: string): ViewStore;
  close(): void;
}

/** @param folder the data folder of the process, `DATA_DIR`. */
export async function processViews(
  folder: string,
  services: readonly ServiceDefinition[],
): Promise<ProcessViews> {
  const views = join(folder, 'views');
  await writableFolder(views, 'DATA_DIR');
  const opened = new Map<string, ViewStore>();
  return {
    open: (name) => {
      const known = opened.get(name);
      if (known !== undefined) return known;
      const definition = services.find((service) => service.name === name);
      if (definition === undefined) throw new RuntimeError('defect', `there is no service ${name}`);
      const view = openSqliteViews({
        file: join(views, name),
        ...viewSchemaOf(definition, RELEASE),
      });
      opened.set(name, view);
      return view;
    },
    close: () => {
      for (const view of opened.values()) view.close();
      opened.clear();
    },
  };
}
